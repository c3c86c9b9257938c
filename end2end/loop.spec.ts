// The end of a reel: a video begins again, music goes on to the next.
import { LONG_MS, active, media, plays, rests, stays } from "./probe";
import { expect, press, showControls, test } from "./actions";

/** Counts, from now on, how often the element waits for data and how often it begins again; the seek to the beginning, which
 * Chromium calls a wait too, is none. Runs in the page. */
function countLoops(video: HTMLVideoElement): void {
  const loops = { waits: 0, rounds: 0 };
  let last = video.currentTime;
  video.addEventListener("waiting", () => (loops.waits += video.seeking ? 0 : 1));
  video.addEventListener("timeupdate", () => {
    if (video.currentTime < last - 0.5) loops.rounds++;
    last = video.currentTime;
  });
  Object.assign(window, { loops });
}
declare const loops: { waits: number; rounds: number };

test("trap 7: a short reel loops ten times and never waits for data", async ({ page, serve }) => {
  test.setTimeout(90_000);
  const server = await serve(["brief", "clip_1"]);
  await page.goto(`${server.url}/c/brief`);
  await plays(page, "brief");
  await expect.poll(() => media(page, (v) => v.buffered.length > 0 && v.buffered.end(0) > v.duration - 0.3)).toBe(true);
  await media(page, countLoops);
  await expect.poll(() => page.evaluate(() => loops.rounds), { timeout: 60_000 }).toBeGreaterThanOrEqual(10);
  expect(await page.evaluate(() => loops.waits), "times it waited").toBe(0);
  await plays(page, "brief");
});

test("a video loops five times without a stall", async ({ page }) => {
  await page.goto("/c/clip_3");
  await plays(page, "clip_3");
  // Once through, so that all of it is in the buffer.
  await expect.poll(() => media(page, (v) => v.buffered.length > 0 && v.buffered.end(0) > v.duration - 0.3)).toBe(true);
  let longest = 0;
  for (let n = 0; n < 5; n++) {
    await media(page, (video) => (video.currentTime = video.duration - 0.6));
    await expect.poll(() => media(page, (v) => !v.seeking && v.currentTime > v.duration - 0.5), { intervals: [20] }).toBe(true);
    await page.evaluate(() => (window.probe.gap = 0));
    await expect
      .poll(() => media(page, (video) => video.currentTime > 0.3 && video.currentTime < 3), { intervals: [20], timeout: LONG_MS })
      .toBe(true);
    longest = Math.max(longest, await page.evaluate(() => window.probe.gap));
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
  expect(await page.evaluate(() => window.probe.most)).toBe(1);
});

test("switched off, a video goes on to the next at its end and music begins again; both are remembered", async ({ page, serve }) => {
  test.setTimeout(60_000);
  const server = await serve(["brief", "clip_0", "tone"]);
  await page.goto(`${server.url}/c/clip_0`);
  await plays(page, "clip_0");
  await showControls(page);
  await page.getByRole("button", { name: "Playback" }).tap();
  await page.getByRole("switch", { name: "Repeat videos" }).uncheck();
  await page.getByRole("switch", { name: "Music goes on to the next" }).uncheck();
  await page.reload();
  await plays(page, "clip_0");
  await expect(page.getByRole("switch", { name: "Repeat videos", includeHidden: true })).not.toBeChecked();
  await press(page, "ArrowUp");
  await plays(page, "brief");
  await plays(page, "clip_0");
  await press(page, "ArrowDown");
  await expect(active(page)).toHaveAttribute("data-channel", "tone");
  await rests(page);
  await media(page, countLoops);
  await expect.poll(() => page.evaluate(() => loops.rounds), { timeout: LONG_MS }).toBeGreaterThanOrEqual(1);
  await expect(active(page)).toHaveAttribute("data-channel", "tone");
});

test("a loop and a seek are no stalls, and the film edge stays", async ({ page, serve }) => {
  const server = await serve(["brief", "clip_1"]);
  await page.goto(`${server.url}/c/brief`);
  await plays(page, "brief");
  await media(page, countLoops);
  await page.evaluate(() => {
    const waits = { count: 0 };
    new MutationObserver(() => waits.count++).observe(document.querySelector(".leader")!, { attributeFilter: ["data-waits"] });
    Object.assign(window, { waited: waits });
  });
  await expect.poll(() => page.evaluate(() => loops.rounds), { timeout: LONG_MS }).toBeGreaterThanOrEqual(3);
  expect(await page.evaluate(() => (window as unknown as { waited: { count: number } }).waited.count)).toBe(0);
  // What the page tells when it is left.
  const told = page.waitForRequest("**/api/pulse");
  await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
  expect(((await told).postDataJSON() as { stalls: number }).stalls).toBe(0);
});

test("where videos do not repeat, the last of the list stands at its end, and Play begins it again", async ({ page, serve }) => {
  test.setTimeout(60_000);
  const server = await serve(["clip_0", "clip_1"]);
  await page.goto(`${server.url}/c/clip_1`);
  await plays(page, "clip_1");
  await showControls(page);
  await page.getByRole("button", { name: "Playback" }).tap();
  await page.getByRole("switch", { name: "Repeat videos" }).uncheck();
  await press(page, "Escape");
  const play = page.getByRole("button", { name: "Play", exact: true });
  for (const round of process.env.FULL ? [1, 2] : [1]) {
    // The controls have gone out, as they have in any longer reel.
    await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
    await expect(page.getByRole("main")).not.toHaveAttribute("data-controls", { timeout: LONG_MS });
    await media(page, (video) => (video.currentTime = video.duration - 1));
    await expect.poll(() => media(page, (video) => video.ended), { timeout: LONG_MS, message: `the end, ${round}` }).toBe(true);
    await expect(play).toBeVisible();
    await expect(page.locator(".controls")).toHaveCSS("opacity", "1");
    await stays(page, "clip_1");
    await expect(page.locator(".leader")).not.toHaveAttribute("data-waits");
    expect(await media(page, (video) => video.paused && video.duration - video.currentTime < 0.2)).toBe(true);
    await play.tap();
    await expect.poll(() => media(page, (v) => !v.paused && !v.ended && v.currentTime > 0.1 && v.currentTime < 4), { timeout: LONG_MS }).toBe(true);
    await plays(page, "clip_1");
  }
});
