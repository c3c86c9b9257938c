// What breaks: a playlist that does not come, segments that are replaced, a server that goes away.
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Locator, Page } from "@playwright/test";

import { active, LONG_MS, media, plays, rests, stays } from "./eyes";
import { expect, openChat, say, swipe, test } from "./hands";
import { MADE } from "./house";

for (const fault of ["aborted", "answered with 500"] as const) {
  test(`a playlist that is ${fault} is told, and can be tried again or passed`, async ({ page, expects }) => {
    test.setTimeout(60_000);
    expects(/Failed to load resource/);
    const playlist = "**/streams/clip_3/playlist.m3u8";
    await page.route(playlist, (route) => (fault === "aborted" ? route.abort() : route.fulfill({ status: 500 })));
    await page.goto("/c/clip_3");
    const told = page.getByRole("alert");
    await expect(told).toContainText("The picture does not come", { timeout: 20_000 });
    await expect(told).toContainText("4 · no picture");
    await told.getByRole("button", { name: "Next" }).tap();
    await plays(page, "clip_4");
    await expect(told).toBeHidden();
    await rests(page);
    await swipe(page, -1);
    await expect(told).toBeVisible({ timeout: 20_000 });
    await rests(page);
    // The browser takes no tap in the first moments after a fling.
    await page.waitForTimeout(700);
    await page.unroute(playlist);
    await told.getByRole("button", { name: "Retry" }).tap();
    await plays(page, "clip_3");
    await expect(told).toBeHidden();
  });
}

test("what failed is tried again by itself, with a countdown", async ({ page, expects }) => {
  test.setTimeout(60_000);
  expects(/Failed to load resource/);
  const playlist = "**/streams/clip_3/playlist.m3u8";
  await page.route(playlist, (route) => route.fulfill({ status: 500 }));
  await page.goto("/c/clip_3");
  const told = page.getByRole("alert");
  await expect(told).toContainText("It tries again by itself in", { timeout: 20_000 });
  const seconds = async () => Number(/in (\d+) s/.exec((await told.textContent()) ?? "")?.[1]);
  const first = await seconds();
  expect(first).toBeGreaterThan(0);
  await expect.poll(seconds).toBeLessThan(first);
  await page.unroute(playlist);
  await plays(page, "clip_3");
  await expect(told).toBeHidden();
});

test("a file that this browser cannot decode says so on its reel, and one goes on", async ({ page, house }) => {
  const home = await house(["clip_0", "foreign.mp4", "said_1"]);
  await expect.poll(async () => (await fetch(`${home.url}/api/channels/foreign`)).status, { timeout: LONG_MS }).toBe(200);
  await page.goto(home.url);
  await plays(page, "clip_0");
  await swipe(page);
  const told = page.getByRole("alert");
  await expect(told).toContainText("This browser cannot play it", { timeout: 20_000 });
  await expect(told).toContainText("2 · no picture");
  await expect(told.getByText("It tries again"), "nothing is tried again").toBeHidden();
  await rests(page);
  await expect(active(page)).toHaveAttribute("data-channel", "foreign");
  // The browser takes a tap for the end of a fling for a while.
  await page.waitForTimeout(700);
  await told.getByRole("button", { name: "Next" }).tap();
  await plays(page, "said_1");
  await expect(told).toBeHidden();
});

test("while only the socket is away the list is asked for over HTTP", async ({ page, house }) => {
  test.setTimeout(60_000);
  const home = await house(["clip_1", "clip_2"]);
  await page.routeWebSocket(/\/ws/, (socket) => socket.close());
  await page.goto(`${home.url}/c/clip_1`);
  await plays(page, "clip_1");
  home.add("clip_0");
  await expect(active(page)).toHaveAttribute("aria-setsize", "3", { timeout: 40_000 });
  await expect(active(page)).toHaveAttribute("aria-posinset", "2");
  await stays(page, "clip_1");
  await plays(page, "clip_1");
});

/** A minute of a made channel, told as one playlist with breaks. */
function minute(channel: string): string {
  const folder = mkdtempSync(join(tmpdir(), "carrete-minute-"));
  const made = readFileSync(join(MADE, channel, "playlist.m3u8"), "utf8");
  const segments = [...made.matchAll(/#EXTINF:([\d.]+),\s*(\S+\.ts)/g)];
  let list = made.slice(0, made.indexOf("#EXTINF"));
  for (let n = 0; n < 10; n++) {
    for (const [, seconds, file] of segments) {
      cpSync(join(MADE, channel, file!), join(folder, `${n}-${file}`));
      list += `#EXTINF:${seconds},\n${n}-${file}\n`;
    }
    list += n < 9 ? "#EXT-X-DISCONTINUITY\n" : "#EXT-X-ENDLIST\n";
  }
  writeFileSync(join(folder, "playlist.m3u8"), list);
  return folder;
}

test("a channel that is replaced while it plays goes on at the same second", async ({ page, house, expects }) => {
  test.setTimeout(60_000);
  expects(/status of 404/);
  const home = await house(["clip_4"]);
  const [before, after] = [minute("clip_0"), minute("clip_1")];
  home.add("reel", before);
  await expect.poll(async () => (await fetch(`${home.url}/api/channels/reel`)).status, { timeout: LONG_MS }).toBe(200);
  await page.goto(`${home.url}/c/reel`);
  await plays(page, "reel");
  expect(await media(page, (video) => Math.round(video.duration))).toBeGreaterThan(50);
  home.remove("reel");
  home.add("reel", after);
  await page.waitForTimeout(2_500);
  await media(page, (video) => (video.currentTime = 40));
  // The new content has another corner.
  const corner = () =>
    media(page, (video) => {
      const pen = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d")!;
      pen.drawImage(video, 0, 0, 22, 22, 0, 0, 1, 1);
      const [r = 0, g = 0] = pen.getImageData(0, 0, 1, 1).data;
      return g > 200 && r < 60 && video.currentTime > 39 && video.currentTime < 55;
    });
  await expect.poll(corner, { timeout: 20_000 }).toBe(true);
  await expect(page.getByRole("alert")).toBeHidden();
  await plays(page, "reel");
  for (const folder of [before, after]) rmSync(folder, { recursive: true });
});

test("a server that was away: a bar says it, and what was typed arrives once", async ({ page, guest, house, expects }) => {
  test.setTimeout(90_000);
  expects(/WebSocket connection to .* failed|Failed to load resource/);
  const home = await house(["clip_0", "clip_1", "clip_2"]);
  const other = await guest();
  for (const person of [page, other]) {
    await person.goto(home.url);
    await plays(person, "clip_0");
    await openChat(person);
  }
  await expect(page.getByText("2 watching")).toBeVisible();
  await say(page, "before", "ana");
  await expect(other.getByRole("log").getByText("before", { exact: true })).toBeVisible();
  await home.stop("SIGKILL");
  const bar = page.getByRole("status").filter({ hasText: "No connection" });
  await expect(bar).toBeVisible({ timeout: LONG_MS });
  // Its icon is there although nobody serves it any more.
  expect(await colours(page, bar.locator("svg").first()), "the icon is drawn").toBeGreaterThan(1);
  await say(page, "typed meanwhile");
  const line = (person: typeof page) => person.getByRole("log").getByText("typed meanwhile", { exact: true });
  await expect(line(page)).toHaveCount(1);
  await expect(page.getByText("Not sent yet")).toBeVisible();
  await home.start();
  await expect(bar).toBeHidden({ timeout: 30_000 });
  await expect(page.getByText("Not sent yet")).toBeHidden();
  await expect(line(other)).toHaveCount(1, { timeout: 30_000 });
  await expect(page.getByText("2 watching")).toBeVisible({ timeout: 30_000 });
  await page.waitForTimeout(1_500);
  for (const person of [page, other]) await expect(line(person)).toHaveCount(1);
  await expect(active(page)).toHaveAttribute("data-channel", "clip_0");
  await plays(page, "clip_0");
});

/** How many different colours an element shows. */
async function colours(page: Page, element: Locator): Promise<number> {
  const shot = (await element.screenshot()).toString("base64");
  return page.evaluate(async (data) => {
    const picture = new Image();
    picture.src = `data:image/png;base64,${data}`;
    await picture.decode();
    const { width, height } = picture;
    const pen = Object.assign(document.createElement("canvas"), { width, height }).getContext("2d")!;
    pen.drawImage(picture, 0, 0);
    return new Set(new Uint32Array(pen.getImageData(0, 0, width, height).data.buffer)).size;
  }, shot);
}
