// A page that nobody sees: it presents no frame and fails nothing; what is opened or reached there plays when it is shown.
import type { Page } from "@playwright/test";

import { LONG_MS, active, media, nothingFor, plays } from "./probe";
import { expect, HASTE, hastens, opens, press, test } from "./actions";

declare global {
  interface Window {
    /** Hides the page, or shows it again. */
    hide: (hidden: boolean) => void;
  }
}

/** A page of which a test says whether it is seen. While it is not, no frame is presented. */
async function blinds(page: Page, hidden: boolean): Promise<void> {
  await page.addInitScript((hidden) => {
    let dark = hidden;
    const waiting: (() => void)[] = [];
    Object.defineProperty(document, "hidden", { get: () => dark });
    Object.defineProperty(document, "visibilityState", { get: () => (dark ? "hidden" : "visible") });
    const request = HTMLVideoElement.prototype.requestVideoFrameCallback;
    HTMLVideoElement.prototype.requestVideoFrameCallback = function (callback) {
      return request.call(this, (...frame) => (dark && !document.pictureInPictureElement ? waiting.push(() => callback(...frame)) : callback(...frame)));
    };
    window.hide = (hidden) => {
      dark = hidden;
      if (!dark) for (const callback of waiting.splice(0)) callback();
      document.dispatchEvent(new Event("visibilitychange"));
    };
  }, hidden);
}

const hide = (page: Page, hidden: boolean) => page.evaluate((hidden) => window.hide(hidden), hidden);

/** Says that no reel fails for longer than the patience of the page lasts, eight of its seconds. */
async function isPatient(page: Page, hasten: (fast: boolean) => Promise<void>): Promise<void> {
  await hasten(true);
  await nothingFor(12_000 / HASTE, "it fails in the dark", () => page.getByRole("alert").isVisible(), false);
  await hasten(false);
}

/** It plays, or its large button shows. */
async function playsOrAsks(page: Page, channel: string): Promise<void> {
  await expect(active(page)).toHaveAttribute("data-channel", channel);
  await expect
    .poll(
      async () =>
        (await active(page).getByRole("button", { name: "Play", exact: true }).isVisible()) ||
        (await media(page, (video) => !video.paused && video.currentTime > 0.2)),
      { timeout: LONG_MS },
    )
    .toBe(true);
}

test("a reel opened in the dark, whose video comes only with the light, does not fail meanwhile", async ({ page }) => {
  test.setTimeout(60_000);
  const hasten = await hastens(page, 1_000);
  await blinds(page, true);
  let segments = 0, playlists = 0;
  page.on("request", (request) => (playlists += Number(request.url().endsWith("/streams/clip_1/playlist.m3u8"))));
  let release = () => {};
  const seen = new Promise<void>((resolve) => (release = resolve));
  // A browser that opens no media source in the dark.
  await page.route("**/streams/clip_1/*.ts*", async (route) => {
    segments++;
    await seen;
    await route.continue().catch(() => undefined);
  });
  await opens(page, "/c/clip_1");
  await expect.poll(() => segments, { timeout: LONG_MS }).toBeGreaterThan(0);
  const before = playlists;
  await isPatient(page, hasten);
  // Another try begins with the playlist.
  expect(playlists, "nothing is tried again in the dark").toBe(before);
  release();
  await hide(page, false);
  await plays(page, "clip_1");
});

test("a reel reached in the dark plays when the page is shown, and its network's faults are mended then", async ({ page, expects }) => {
  test.setTimeout(90_000);
  expects(/Failed to load resource/);
  const hasten = await hastens(page, 1_000);
  await blinds(page, false);
  await page.goto("/c/clip_1");
  await plays(page, "clip_1");
  await hide(page, true);
  await press(page, "ArrowDown");
  await isPatient(page, hasten);
  // As some browsers do to what nobody sees.
  await media(page, (video) => video.pause());
  const paused = () => media(page, (video) => video.paused);
  await nothingFor(500, "it is played in the dark", paused, true);
  await hide(page, false);
  await playsOrAsks(page, "clip_2");
  // Paused by hiding, told in the other order.
  await media(page, (video) => video.pause());
  await hide(page, true);
  await nothingFor(500, "it is played in the dark", paused, true);
  await hide(page, false);
  await playsOrAsks(page, "clip_2");
  await hide(page, true);
  let asked = 0;
  const broken = "**/streams/clip_5/*";
  await page.route(broken, (route) => {
    asked++;
    return route.fulfill({ status: 500 });
  });
  await press(page, "ArrowDown", 3);
  await expect.poll(() => asked, { timeout: 20_000 }).toBeGreaterThan(0);
  await isPatient(page, hasten);
  await page.unroute(broken);
  await hide(page, false);
  await playsOrAsks(page, "clip_5");
});

test("a film in the small window is mended though the page is hidden", async ({ page, expects }) => {
  test.setTimeout(90_000);
  expects(/Failed to load resource/);
  const hasten = await hastens(page, 1_000);
  await blinds(page, false);
  const broken = "**/streams/clip_2/*";
  let asked = 0;
  await page.route(broken, (route) => {
    asked++;
    return route.fulfill({ status: 500 });
  });
  await page.goto("/c/clip_1");
  await plays(page, "clip_1");
  // No window opens without a screen: the page is told that the element is in one.
  await page.evaluate(() => Object.defineProperty(document, "pictureInPictureElement", { get: () => document.querySelector("video") }));
  await hide(page, true);
  await press(page, "ArrowDown");
  await expect(active(page).getByRole("alert")).toBeVisible({ timeout: 20_000 });
  await page.unroute(broken);
  // The pause before the next try.
  await hasten(true);
  await expect.poll(() => media(page, (video) => !video.paused && video.currentTime > 0.2), { timeout: 20_000 }).toBe(true);
  await expect(active(page)).toHaveAttribute("data-channel", "clip_2");
  expect(await page.evaluate(() => document.hidden)).toBe(true);
  expect(asked).toBeGreaterThan(0);
});
