// What breaks: a playlist that does not come, segments that are replaced, a server that goes away.
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Locator, Page } from "@playwright/test";

import { LONG_MS, active, media, nothingFor, plays, rests, stays } from "./probe";
import { expect, flingEnds, HASTE, hastens, openChat, say, swipe, test } from "./actions";
import { MADE, type TestServer } from "./server";

for (const fault of ["aborted", "answered with 500"] as const) {
  test(`a playlist that is ${fault} is told, and can be tried again or passed`, async ({ page, expects }) => {
    test.setTimeout(60_000);
    expects(/Failed to load resource/);
    const playlist = "**/streams/clip_3/playlist.m3u8";
    await page.route(playlist, (route) => (fault === "aborted" ? route.abort() : route.fulfill({ status: 500 })));
    await page.goto("/c/clip_3");
    const told = page.getByRole("alert");
    await expect(told).toContainText("“Test reel 3” won’t play", { timeout: 20_000 });
    await expect(told).toContainText("4 · no picture");
    await told.getByRole("button", { name: "Next" }).tap();
    await plays(page, "clip_4");
    await expect(told).toBeHidden();
    await rests(page);
    await swipe(page, -1);
    await expect(told).toBeVisible({ timeout: 20_000 });
    await rests(page);
    await page.unroute(playlist);
    await flingEnds();
    await told.getByRole("button", { name: "Retry" }).tap();
    await plays(page, "clip_3");
    await expect(told).toBeHidden();
  });
}

test("what failed is tried again by itself, with a countdown", async ({ page, expects }) => {
  test.setTimeout(60_000);
  expects(/Failed to load resource/);
  const hasten = await hastens(page, 1_000);
  const playlist = "**/streams/clip_3/playlist.m3u8";
  await page.route(playlist, (route) => route.fulfill({ status: 500 }));
  await page.goto("/c/clip_3");
  const told = active(page).getByRole("alert");
  await expect(told).toContainText("It is tried again in a moment; if that fails, the next one follows.", { timeout: 20_000 });
  const seconds = async () => Number(/^(\d+)\u00a0s$/.exec((await page.locator(".until b").textContent()) ?? "")?.[1]);
  const first = await seconds();
  expect(first).toBeGreaterThan(0);
  await expect.poll(seconds).toBeLessThan(first);
  await page.unroute(playlist);
  await hasten(true);
  await plays(page, "clip_3");
  await expect(told).toBeHidden();
});

test("each try is silent, and a reel that fails twice is passed by", async ({ page, expects, serve }) => {
  test.setTimeout(60_000);
  expects(/Failed to load resource/);
  const hasten = await hastens(page, 1_000);
  const server = await serve(["clip_0", "clip_3", "clip_4"]);
  await page.route("**/streams/clip_3/playlist.m3u8", (route) => route.fulfill({ status: 500 }));
  await page.goto(`${server.url}/c/clip_3`);
  const told = active(page).getByRole("alert");
  await expect(told).toBeVisible({ timeout: 20_000 });
  const seen = await page.evaluateHandle(() => {
    const seen = { looks: 0, leader: 0, gone: 0 };
    const look = () => {
      if (document.querySelector("article[aria-current=true]")?.getAttribute("data-channel") === "clip_3") {
        seen.looks++;
        if (document.querySelector(".leader")!.hasAttribute("data-waits")) seen.leader++;
        if (!document.querySelector("article[aria-current=true] [role=alert]")) seen.gone++;
      }
      requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
    return seen;
  });
  await hasten(true);
  await plays(page, "clip_4");
  const { looks, leader, gone } = await seen.evaluate((seen) => seen);
  expect([leader, gone], "frames with a leader, and without the panel").toEqual([0, 0]);
  expect(looks, "of so many").toBeGreaterThan(30);
  await expect(page.getByRole("alert")).toHaveCount(0);
  await expect(page).toHaveURL(/clip_4/);
});

test("the last reel of the list has no next, and is tried on", async ({ page, expects, serve }) => {
  expects(/Failed to load resource/);
  const server = await serve(["clip_3"]);
  let asked = 0;
  await page.route("**/streams/clip_3/playlist.m3u8", (route) => (asked++, route.fulfill({ status: 500 })));
  await page.goto(`${server.url}/c/clip_3`);
  const told = active(page).getByRole("alert");
  await expect(told).toContainText("It is tried again in a moment.", { timeout: 20_000 });
  await expect(told.getByRole("button")).toHaveCount(1);
  const before = asked;
  await told.getByRole("button", { name: "Retry" }).tap();
  await expect.poll(() => asked).toBeGreaterThan(before);
  await expect(told).toBeVisible();
  await stays(page, "clip_3");
});

/** Three reels, the second a file that comes in pieces that no decoder reads. */
async function damaged(page: Page, serve: (channels: string[]) => Promise<TestServer>): Promise<TestServer> {
  const server = await serve(["clip_0", "said_1"]);
  const folder = mkdtempSync(join(tmpdir(), "carrete-damaged-"));
  const file = join(folder, "film.mp4");
  const copy = ["-v", "error", "-i", join(MADE, "clip_3", "playlist.m3u8"), "-c", "copy", "-bsf:a", "aac_adtstoasc", file];
  execFileSync("ffmpeg", copy);
  server.add("film.mp4", file);
  rmSync(folder, { recursive: true });
  await expect.poll(async () => (await fetch(`${server.url}/api/channels/film`)).status, { timeout: LONG_MS }).toBe(200);
  await page.route("**/streams/film.mp4*", (route) => route.fulfill({ contentType: "video/mp4", body: "no film at all ".repeat(900) }));
  return server;
}

test("a damaged file offers the next reel and no other try, and the way on has the focus", async ({ page, expects, serve }) => {
  expects(/Failed to load resource/);
  const server = await damaged(page, serve);
  await page.goto(server.url);
  await plays(page, "clip_0");
  await rests(page);
  await swipe(page);
  const told = active(page).getByRole("alert");
  await expect(told).toContainText("” is damaged", { timeout: 20_000 });
  await expect(told).toContainText("2 · damaged");
  await expect(told.getByRole("button", { name: "Retry" })).toHaveCount(0);
  const next = told.getByRole("button", { name: /^3 Next:/ });
  await expect(next).toBeFocused();
  expect((await next.boundingBox())!.height).toBeGreaterThanOrEqual(56);
  await expect(page.locator(".until")).toBeHidden();
  await next.press("Enter");
  await plays(page, "said_1");
  await expect(active(page)).toBeFocused();
});

test("who writes keeps the focus when a damaged reel comes", { tag: "@desktop" }, async ({ page, expects, serve }) => {
  expects(/Failed to load resource/);
  const server = await damaged(page, serve);
  await page.goto(server.url);
  await plays(page, "clip_0");
  const box = page.getByRole("textbox", { name: "Message" });
  await box.focus();
  await page.mouse.move(720, 400);
  await page.mouse.wheel(0, 120);
  await expect(active(page).getByRole("alert")).toContainText("” is damaged", { timeout: 20_000 });
  await expect(box).toBeFocused();
});

test("a file that this browser cannot decode says so on its reel, and one goes on", async ({ page, serve }) => {
  const server = await serve(["clip_0", "foreign.mp4", "said_1"]);
  await expect.poll(async () => (await fetch(`${server.url}/api/channels/foreign`)).status, { timeout: LONG_MS }).toBe(200);
  await page.goto(server.url);
  await plays(page, "clip_0");
  await swipe(page);
  const told = page.getByRole("alert");
  await expect(told).toContainText("This browser cannot play it", { timeout: 20_000 });
  await expect(told).toContainText("2 · no picture");
  await expect(told.getByRole("button", { name: "Retry" }), "nothing is tried again").toHaveCount(0);
  await rests(page);
  await expect(active(page)).toHaveAttribute("data-channel", "foreign");
  await flingEnds();
  await told.getByRole("button", { name: "Next" }).tap();
  await plays(page, "said_1");
  await expect(told).toBeHidden();
});

test("while only the socket is away the list is asked for over HTTP", async ({ page, serve }) => {
  test.setTimeout(60_000);
  const server = await serve(["clip_1", "clip_2"]);
  await page.routeWebSocket(/\/ws/, (socket) => socket.close());
  await page.goto(`${server.url}/c/clip_1`);
  await plays(page, "clip_1");
  server.add("clip_0");
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

test("a channel that is replaced while it plays goes on at the same second", async ({ page, serve, expects }) => {
  test.setTimeout(60_000);
  expects(/status of 404/);
  const server = await serve(["clip_4"]);
  const [before, after] = [minute("clip_0"), minute("clip_1")];
  server.add("reel", before);
  await expect.poll(async () => (await fetch(`${server.url}/api/channels/reel`)).status, { timeout: LONG_MS }).toBe(200);
  await page.goto(`${server.url}/c/reel`);
  await plays(page, "reel");
  expect(await media(page, (video) => Math.round(video.duration))).toBeGreaterThan(50);
  const told = async () => (await fetch(`${server.url}/api/channels/reel`)).text();
  const first = await told();
  server.remove("reel");
  server.add("reel", after);
  await expect.poll(told, { timeout: LONG_MS, message: "the server knows the other one" }).not.toBe(first);
  await expect.poll(told, { timeout: LONG_MS, message: "and tells of it" }).toContain('"id":"reel"');
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

test("a server that was away: a bar says it, and what was typed arrives once", async ({ page, guest, serve, expects }) => {
  test.setTimeout(90_000);
  expects(/WebSocket connection to .* failed|Failed to load resource/);
  const server = await serve(["clip_0", "clip_1", "clip_2"]);
  const other = await guest();
  for (const person of [page, other]) {
    await person.goto(server.url);
    await plays(person, "clip_0");
    await openChat(person);
  }
  await expect(page.getByText("2 watching")).toBeVisible();
  await say(page, "before", "ana");
  await expect(other.getByRole("log").getByText("before", { exact: true })).toBeVisible();
  await server.stop("SIGKILL");
  const bar = page.getByRole("status").filter({ hasText: "No connection" });
  await expect(bar).toBeVisible({ timeout: LONG_MS });
  expect(await colours(page, page.locator(".bar.offline .ring")), "its ring is drawn").toBeGreaterThan(1);
  await say(page, "typed meanwhile");
  const line = (person: typeof page) => person.getByRole("log").getByText("typed meanwhile", { exact: true });
  // One voice: the box waits with its text, and nothing else says so.
  await expect(page.getByRole("textbox", { name: "Message" })).toHaveValue("typed meanwhile");
  await expect(page.getByRole("button", { name: "Send" })).toHaveAttribute("aria-disabled", "true");
  await expect(line(page)).toHaveCount(0);
  await expect(page.getByText("Not sent yet")).toHaveCount(0);
  await server.start();
  await expect(bar).toBeHidden({ timeout: 30_000 });
  await expect(line(other)).toHaveCount(1, { timeout: 30_000 });
  await expect(page.getByRole("textbox", { name: "Message" })).toHaveValue("");
  await expect(page.getByText("2 watching")).toBeVisible({ timeout: 30_000 });
  const said = () => Promise.all([page, other].map((person) => line(person).count()));
  await nothingFor(1_500, "it is said a second time", said, [1, 1]);
  await expect(active(page)).toHaveAttribute("data-channel", "clip_0");
  await plays(page, "clip_0");
});

test("while the server is away the bar speaks alone, and counts; then the reel plays", async ({ page, serve, expects }) => {
  test.setTimeout(90_000);
  expects(/WebSocket connection to .* failed|Failed to load resource/);
  const hasten = await hastens(page, 1_000);
  const server = await serve(["clip_0", "clip_1", "clip_2", "clip_3", "clip_4"]);
  await page.goto(`${server.url}/c/clip_3`);
  await plays(page, "clip_3");
  await server.stop("SIGKILL");
  const bar = page.locator(".bar.offline");
  await expect(bar).toBeVisible({ timeout: 20_000 });
  await expect(bar.locator("p")).toHaveText(/in\u00a0\d+\u00a0s\.$|Trying…$/);
  // To a reel of which nothing is there.
  await page.keyboard.press("Home");
  await rests(page);
  await expect(active(page)).toHaveAttribute("data-channel", "clip_0");
  const leader = page.locator(".leader");
  await expect(leader).toHaveAttribute("data-waits", "");
  const alone = async () => {
    await expect(leader).toHaveAttribute("data-waits", "");
    for (const part of [".sweep", "span", "p"]) await expect(leader.locator(part)).toBeHidden();
    await expect(page.getByRole("alert")).toHaveCount(0);
    await expect(page.getByRole("button", { name: "Retry" })).toHaveCount(0);
    await expect(active(page).getByRole("heading")).toHaveCSS("opacity", "1");
    await expect(page.locator("[aria-current=true] > .slate")).toHaveCSS("opacity", "1");
  };
  await alone();
  await hasten(true);
  await nothingFor(12_000 / HASTE, "the reel is given up", () => page.getByRole("alert").count(), 0);
  await alone();
  await hasten(false);
  await server.start();
  // It may have been tried meanwhile.
  await page.getByRole("button", { name: "Now" }).tap({ timeout: 1_000 }).catch(() => undefined);
  await plays(page, "clip_0");
  await expect(bar).toBeHidden();
  expect(await page.evaluate(() => document.activeElement?.closest("[hidden]")), "the focus is in nothing that is gone").toBeNull();
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
