// A list longer than what the page holds: many steps at once, and jumps, while the answers take their time.
import { join } from "node:path";

import type { Page } from "@playwright/test";

import { LONG_MS, active, media, nothingFor, plays, rests, stays, watched } from "./probe";
import { expect, LOW, press, test } from "./actions";
import { MADE, type TestServer } from "./server";

const ALL = 80;

/** What the socket tells. */
type Event = { type: string };

/** A server of r1 to r80, and this page at one of them. The socket tells it that the list has changed and not the list, as of ten
 * thousand: the page holds what it was written with and what it asks for. */
async function enter(page: Page, open: (channels: string[]) => Promise<TestServer>, first = 1): Promise<TestServer> {
  const server = await open([]);
  for (let n = 1; n <= ALL; n++) server.add(`r${n}`, join(MADE, `clip_${n % 11}`));
  await expect.poll(async () => (await (await fetch(`${server.url}/api/channels`)).json()).length, { timeout: 20_000 }).toBe(ALL);
  await page.routeWebSocket(/\/ws/, (socket) => {
    const upstream = socket.connectToServer();
    upstream.onMessage((frame) => {
      const events = [JSON.parse(frame.toString()) as Event | Event[]].flat();
      socket.send(JSON.stringify(events.map((event) => (event.type === "videos" ? { ...event, videos: [] } : event))));
    });
  });
  await page.goto(first > 1 ? `${server.url}/c/r${first}` : server.url);
  await plays(page, `r${first}`);
  await expect(active(page)).toHaveAttribute("aria-setsize", `${ALL}`);
  return server;
}

/** From now on the list takes so long to answer. */
async function slowList(page: Page, ms: number): Promise<void> {
  await page.route("**/api/fn/channels*", async (route) => {
    await new Promise((resolve) => setTimeout(resolve, ms));
    await route.continue().catch(() => undefined);
  });
}

async function arrives(page: Page, n: number): Promise<void> {
  await plays(page, `r${n}`);
  await rests(page);
  await stays(page, `r${n}`);
  await expect(active(page)).toHaveAttribute("aria-posinset", `${n}`);
  await expect(page).toHaveURL(new RegExp(`/c/r${n}$`));
  expect(await page.getByRole("article").count()).toBeLessThanOrEqual(7);
}

for (const ms of [0, 700]) {
  test(`60 quick notches move 60 reels, there and back, where the list answers after ${ms} ms`, { tag: "@desktop" }, async ({ page, serve }) => {
    test.setTimeout(150_000);
    await page.setViewportSize(LOW);
    await enter(page, serve);
    if (ms > 0) await slowList(page, ms);
    await page.mouse.move(LOW.width / 2, LOW.height / 2);
    for (let n = 0; n < 60; n++) await page.mouse.wheel(0, 100);
    await arrives(page, 61);
    for (let n = 0; n < 45; n++) await page.mouse.wheel(0, -100);
    await arrives(page, 16);
    // Beyond the end is the end.
    for (let n = 0; n < 80; n++) await page.mouse.wheel(0, 100);
    await arrives(page, ALL);
    expect(await page.evaluate(() => window.probe.most)).toBe(1);
  });
}

test("a number goes to a channel that is not held, and steps after it count from there", async ({ page, serve }) => {
  test.setTimeout(90_000);
  await enter(page, serve);
  await slowList(page, 700);
  for (const digit of "75") await press(page, digit);
  await arrives(page, 75);
  for (const digit of "30") await press(page, digit);
  await arrives(page, 30);
  await press(page, "ArrowDown", 3);
  await arrives(page, 33);
  // Beyond the last one is the last one.
  for (const digit of "999") await press(page, digit);
  await arrives(page, ALL);
});

test("who goes elsewhere while the list still answers is left there", async ({ page, serve }) => {
  test.setTimeout(90_000);
  await enter(page, serve);
  await slowList(page, 1_500);
  // Beyond what is held, and back home before the answer is there.
  const [asked, answered] = [page.waitForRequest("**/api/fn/channels*"), page.waitForResponse("**/api/fn/channels*")];
  await press(page, "ArrowDown", 50);
  await asked;
  await press(page, "Home");
  await plays(page, "r1");
  await (await answered).finished();
  await stays(page, "r1", 1_500);
  await arrives(page, 1);
  // To the last, and one back from where one is before the answer is there.
  await press(page, "ArrowDown");
  await arrives(page, 2);
  await press(page, "ArrowDown", 50);
  await press(page, "End");
  await arrives(page, ALL);
});

test("steps that the list did not answer are forgotten: with the network back one step is one step", async ({ page, serve, expects }) => {
  test.setTimeout(90_000);
  expects(/Failed to load resource/);
  await enter(page, serve);
  await rests(page);
  await page.route("**/api/fn/channels*", (route) => route.abort());
  await press(page, "ArrowDown", 50);
  await expect.poll(async () => Number(await active(page).getAttribute("aria-posinset")), { timeout: LONG_MS }).toBeGreaterThan(5);
  await rests(page);
  const at = async () => Number(await active(page).getAttribute("aria-posinset"));
  const last = await at();
  await nothingFor(1_000, "a step that was not answered is made up for", at, last);
  await arrives(page, last);
  await page.unroute("**/api/fn/channels*");
  await press(page, "ArrowUp");
  await arrives(page, last - 1);
  for (let n = last; n < last + 3; n++) {
    await press(page, "ArrowDown");
    await arrives(page, n);
  }
});

test("the reel on screen, taken away, plays to its end, and then the feed goes on", async ({ page, serve }) => {
  test.setTimeout(90_000);
  const server = await enter(page, serve, 60);
  await expect.poll(() => media(page, (v) => v.buffered.length > 0 && v.buffered.end(0) > v.duration - 0.3)).toBe(true);
  await media(page, (video) => (video.currentTime = 0.5));
  server.remove("r60");
  const listed = async () => ((await (await fetch(`${server.url}/api/channels`)).json()) as string[]).length;
  await expect.poll(listed, { timeout: LONG_MS }).toBe(ALL - 1);
  const shown = await watched(page);
  await plays(page, "r61");
  expect(await shown(), "seconds of it that were shown").toBeGreaterThan(5);
  await rests(page);
  await expect(page).toHaveURL(/\/c\/r61$/);
  await expect(active(page)).toHaveAttribute("aria-setsize", `${ALL - 1}`, { timeout: LONG_MS });
  await expect(active(page)).toHaveAttribute("aria-posinset", "60");
  await expect(page.locator("[data-channel=r60]")).toHaveCount(0);
  await press(page, "ArrowUp");
  await plays(page, "r59");
});
