// The folder changes while people watch.
import { join } from "node:path";

import { LONG_MS, active, media, plays, rests, stays } from "./eyes";
import { expect, press, swipe, test } from "./hands";
import { MADE } from "./house";

/** Two seconds are promised; a busy machine gets some more. */
const SHOWN_MS = 5_000;

test("a new folder shows on the open page, and the reel on screen keeps its place and plays", async ({ page, house }) => {
  const home = await house(["clip_1", "clip_2", "clip_4"]);
  await page.goto(`${home.url}/c/clip_2`);
  await plays(page, "clip_2");
  await expect(active(page)).toHaveAttribute("aria-setsize", "3");
  const element = await page.locator("video").elementHandle();
  home.add("clip_0");
  home.add("clip_3");
  await expect(active(page)).toHaveAttribute("aria-setsize", "5", { timeout: SHOWN_MS });
  await expect(active(page)).toHaveAttribute("data-channel", "clip_2");
  await expect(active(page)).toHaveAttribute("aria-posinset", "3");
  expect(await element!.evaluate((video: HTMLVideoElement) => video.isConnected && !video.paused)).toBe(true);
  await stays(page, "clip_2");
  await swipe(page);
  await plays(page, "clip_3");
  await rests(page);
  await press(page, "Home");
  await plays(page, "clip_0");
  expect(await page.evaluate(() => window.sight.most)).toBe(1);
});

test("a folder that goes away goes from the open page, and the reel on screen keeps its place", async ({ page, house, expects }) => {
  // The neighbour that goes may be on its way to be prepared.
  expects(/status of 404.*\/streams\//);
  const home = await house(["clip_0", "clip_1", "clip_2", "clip_3"]);
  await page.goto(`${home.url}/c/clip_2`);
  await plays(page, "clip_2");
  home.remove("clip_0");
  home.remove("clip_3");
  await expect(active(page)).toHaveAttribute("aria-setsize", "2", { timeout: SHOWN_MS });
  await expect(active(page)).toHaveAttribute("aria-posinset", "2");
  await stays(page, "clip_2");
  await plays(page, "clip_2");
  await swipe(page);
  await stays(page, "clip_2");
  await swipe(page, -1);
  await plays(page, "clip_1");
});

test("the reel on screen, taken away, plays on; once left, it is gone", async ({ page, house }) => {
  const home = await house(["clip_0", "clip_1", "clip_2"]);
  await page.goto(`${home.url}/c/clip_1`);
  await plays(page, "clip_1");
  await expect.poll(() => media(page, (v) => v.buffered.length > 0 && v.buffered.end(0) > v.duration - 0.3)).toBe(true);
  home.remove("clip_1");
  await page.waitForTimeout(3_000);
  await plays(page, "clip_1");
  await swipe(page);
  await plays(page, "clip_2");
  await rests(page);
  await expect(active(page)).toHaveAttribute("aria-setsize", "2", { timeout: SHOWN_MS });
  await swipe(page, -1);
  await plays(page, "clip_0");
});

test("an empty folder says how to add a channel, and the page comes alive with the first one", async ({ page, house }) => {
  const home = await house([]);
  await page.goto(home.url);
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  await expect(page.getByText("streams/", { exact: true })).toBeVisible();
  await expect(page.getByText(/carrete convert/)).toBeVisible();
  home.add("clip_0");
  await expect(page.getByRole("article")).toHaveCount(1, { timeout: SHOWN_MS });
  await plays(page, "clip_0");
});

test("in a list of 120, End, Home and a number not held go there, and the page holds few articles", async ({ page, house }) => {
  test.setTimeout(60_000);
  const home = await house([]);
  const name = (n: number) => `r${n}`;
  for (let n = 1; n <= 120; n++) home.add(name(n), join(MADE, `clip_${n % 11}`));
  await expect.poll(async () => (await (await fetch(`${home.url}/api/channels`)).json()).length, { timeout: LONG_MS }).toBe(120);
  await page.goto(home.url);
  await plays(page, "r1");
  await expect(active(page)).toHaveAttribute("aria-setsize", "120");
  await press(page, "End");
  await plays(page, "r120");
  await rests(page);
  await press(page, "ArrowUp");
  await plays(page, "r119");
  await press(page, "Home");
  await plays(page, "r1");
  await rests(page);
  await press(page, "9");
  await press(page, "7");
  await plays(page, "r97");
  await rests(page);
  await expect(active(page)).toHaveAttribute("aria-posinset", "97");
  await press(page, "Home");
  await plays(page, "r1");
  await rests(page);
  for (let n = 1; n < 30; n++) await press(page, "ArrowDown");
  await plays(page, "r30");
  await rests(page);
  expect(await page.getByRole("article").count()).toBeLessThanOrEqual(7);
  expect(await page.evaluate(() => window.sight.most)).toBe(1);
});
