// The end of a reel: a video begins again, music goes on to the next.
import { LONG_MS, active, media, plays, rests } from "./eyes";
import { expect, test } from "./hands";

test("a video loops five times without a stall", async ({ page }) => {
  await page.goto("/c/clip_3");
  await plays(page, "clip_3");
  // Once through, so that all of it is in the buffer.
  await expect.poll(() => media(page, (v) => v.buffered.length > 0 && v.buffered.end(0) > v.duration - 0.3)).toBe(true);
  let longest = 0;
  for (let n = 0; n < 5; n++) {
    await media(page, (video) => (video.currentTime = video.duration - 0.6));
    await expect.poll(() => media(page, (v) => !v.seeking && v.currentTime > v.duration - 0.5), { intervals: [20] }).toBe(true);
    await page.evaluate(() => (window.sight.gap = 0));
    await expect
      .poll(() => media(page, (video) => video.currentTime > 0.3 && video.currentTime < 3), { intervals: [20], timeout: LONG_MS })
      .toBe(true);
    longest = Math.max(longest, await page.evaluate(() => window.sight.gap));
  }
  expect(longest, "ms between two frames").toBeLessThan(900);
  await plays(page, "clip_3");
});

test("music plays in the same element, and goes on to the next at its end", async ({ page }) => {
  await page.goto("/c/tone");
  await expect(active(page)).toHaveAttribute("data-channel", "tone");
  await expect
    .poll(() => page.evaluate(() => document.querySelector<HTMLMediaElement>("[data-channel=tone] video")?.currentTime ?? 0))
    .toBeGreaterThan(0.2);
  expect(await page.locator("video, audio").count()).toBe(1);
  await plays(page, "wide");
  await rests(page);
  await expect(page).toHaveURL(/\/c\/wide/);
  expect(await page.evaluate(() => window.sight.most)).toBe(1);
});
