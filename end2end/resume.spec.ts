// Coming back to the page: by reload, by the browser's Back and Forward, from its memory.
import type { Page } from "@playwright/test";

import { LONG_MS, media, nothingFor, plays, rests } from "./probe";
import { expect, openChat, press, swipe, test } from "./actions";

/** How many the page says are connected, itself included. */
async function counts(page: Page, people: number): Promise<void> {
  await expect(page.getByText(`${people} watching`)).toBeVisible({ timeout: 30_000 });
}

/** Says that the picture moves now. */
async function moves(page: Page): Promise<void> {
  const frames = () => page.evaluate(() => window.probe.frames);
  const before = await frames();
  await expect.poll(frames, { timeout: LONG_MS, message: "the picture moves" }).toBeGreaterThan(before + 3);
}

test("a page that is loaded again plays the same reel again and is connected again", async ({ page, guest, serve }) => {
  test.setTimeout(90_000);
  const server = await serve(["clip_0", "clip_1", "clip_2"]);
  const other = await guest();
  await other.goto(server.url);
  await plays(other, "clip_0");
  await openChat(other);
  await counts(other, 1);
  await page.goto(server.url);
  await plays(page, "clip_0");
  await counts(other, 2);
  await swipe(page);
  await plays(page, "clip_1");
  await rests(page);
  await expect(page).toHaveURL(/\/c\/clip_1$/);
  for (let n = 0; n < 3; n++) {
    await page.reload();
    await plays(page, "clip_1");
    await moves(page);
  }
  // Each load had one socket, and the old ones have ended.
  await counts(other, 2);
  await openChat(page);
  await counts(page, 2);
});

test("Back and Forward come to a page that plays and is connected", async ({ page, guest, serve }) => {
  test.setTimeout(120_000);
  const server = await serve(["clip_0", "clip_1", "clip_2"]);
  const other = await guest();
  await other.goto(server.url);
  await plays(other, "clip_0");
  await openChat(other);
  await page.goto(`${server.url}/c/clip_0`);
  await plays(page, "clip_0");
  // The reel on screen is told in the address without a step of the history.
  await swipe(page);
  await plays(page, "clip_1");
  await rests(page);
  await expect(page).toHaveURL(/\/c\/clip_1$/);
  await counts(other, 2);
  await page.goto(`${server.url}/guide`);
  await counts(other, 1);
  for (let round = 0; round < 2; round++) {
    await page.goBack();
    await expect(page).toHaveURL(/\/c\/clip_1$/);
    await plays(page, "clip_1");
    await moves(page);
    await counts(other, 2);
    await page.goForward();
    await expect(page).toHaveURL(/\/guide$/);
    await counts(other, 1);
  }
});

/** What a browser does that takes a page from its memory: it has paused the element meanwhile, and shows the page again. */
const shownAgain = (page: Page) =>
  page.evaluate(() => {
    document.querySelector("video")!.pause();
    dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }));
    document.dispatchEvent(new Event("visibilitychange"));
  });

test("a page that the browser takes from its memory plays on, unless a person had paused it", async ({ page }) => {
  await page.goto("/c/clip_3");
  await plays(page, "clip_3");
  await shownAgain(page);
  await plays(page, "clip_3");
  await moves(page);
  await press(page, "Space");
  await expect.poll(() => media(page, (video) => video.paused)).toBe(true);
  await shownAgain(page);
  await nothingFor(700, "it plays by itself", () => media(page, (video) => video.paused), true);
  await press(page, "Space");
  await moves(page);
});
