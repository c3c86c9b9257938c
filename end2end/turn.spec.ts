// The window changes its size, or the phone is turned, while the strip is on its way.
import type { Page } from "@playwright/test";

import { LONG_MS, active, plays, rests } from "./probe";
import { devtools, expect, press, swipe, test } from "./actions";

/** From now on a slide takes ten times as long: there is a middle to do something in. */
async function slowly(page: Page): Promise<void> {
  const session = await devtools(page);
  await session.send("Animation.enable");
  await session.send("Animation.setPlaybackRate", { playbackRate: 0.1 });
}

/** Whether an animation moves the strip. */
const slides = (page: Page) =>
  page.evaluate(() => document.getAnimations().some((a) => (a.effect as KeyframeEffect)?.target?.classList.contains("strip")));

/** Says that this reel stands where it belongs, from edge to edge of a feed that shows no neighbours, is told in the address,
 * and nothing is on its way. */
async function settled(page: Page, channel: string): Promise<void> {
  await expect(active(page)).toHaveAttribute("data-channel", channel);
  await rests(page);
  const edges = () =>
    page.evaluate(() => {
      const edge = (selector: string) => document.querySelector(selector)!.getBoundingClientRect();
      const [article, feed] = [edge("[role=feed] [aria-current=true]"), edge("[role=feed]")];
      const [above, below] = [article.top - feed.top, feed.bottom - article.bottom];
      // A desktop shows a little of both neighbours.
      return innerWidth < 1180 ? Math.abs(above) + Math.abs(below) : Math.abs(above - below);
    });
  await expect.poll(edges, { timeout: LONG_MS, message: "px away from the feed's edges" }).toBeLessThan(2);
  await expect(page).toHaveURL(new RegExp(`/c/${channel}$`), { timeout: LONG_MS });
  await expect(page.getByRole("main")).not.toHaveAttribute("data-moving");
  await plays(page, channel);
}

/** From reel to reel, each time with another size while the strip slides. */
async function resized(page: Page, on: () => Promise<void>, sizes: [width: number, height: number][]): Promise<void> {
  await page.goto("/c/clip_3");
  await plays(page, "clip_3");
  await rests(page);
  await slowly(page);
  let channel = 3;
  for (const [width, height] of sizes) {
    await on();
    channel++;
    expect(await slides(page), "it is on its way").toBe(true);
    await page.setViewportSize({ width, height });
    await settled(page, `clip_${channel}`);
  }
}

test("a phone that is turned in the middle of a slide ends where the slide led, and the way on is free", async ({ page }) => {
  test.setTimeout(60_000);
  await resized(page, () => swipe(page), [[844, 390], [390, 844]]);
  await swipe(page);
  await settled(page, "clip_6");
  expect(await page.evaluate(() => window.probe.most)).toBe(1);
});

for (const [how, end] of [["lifts then", "touchEnd"], ["is lost by that", "touchCancel"]] as const) {
  test(`a phone that is turned under a finger, which ${how}, ends settled`, async ({ page }) => {
    await page.goto("/c/clip_3");
    await plays(page, "clip_3");
    await rests(page);
    const session = await devtools(page);
    const finger = (type: "touchStart" | "touchMove" | typeof end, y?: number) =>
      session.send("Input.dispatchTouchEvent", { type, touchPoints: y === undefined ? [] : [{ x: 195, y, id: 0 }] });
    await finger("touchStart", 330);
    for (let y = 320; y >= 250; y -= 10) await finger("touchMove", y);
    await page.setViewportSize({ width: 844, height: 390 });
    for (let y = 240; y >= 120; y -= 10) await finger("touchMove", y);
    await finger(end);
    await expect(page.getByRole("main")).not.toHaveAttribute("data-moving");
    await settled(page, end === "touchEnd" ? (await active(page).getAttribute("data-channel"))! : "clip_3");
  });
}

test("a window that changes its size in the middle of a slide ends where the slide led", { tag: "@desktop" }, async ({ page }) => {
  test.setTimeout(60_000);
  await resized(page, () => press(page, "ArrowDown"), [[1000, 700], [500, 900], [1440, 900]]);
});
