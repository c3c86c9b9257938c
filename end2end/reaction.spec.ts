// Likes: two taps, a key or the button; told to everybody, kept here.
import type { Page } from "@playwright/test";

import { LONG_MS, plays, playsOn, rests } from "./probe";
import { doubleTap, expect, handRests, press, showControls, swipe, test } from "./actions";

const like = (page: Page) => page.getByRole("button", { name: "Like" });

/** Counts what rises from now on: each is seen for a moment only. Runs in the page. */
function countBursts(): void {
  const risen = { count: 0 };
  new MutationObserver((changes) => {
    for (const { addedNodes } of changes) risen.count += addedNodes.length;
  }).observe(document.querySelector(".bursts")!, { childList: true });
  Object.assign(window, { risen });
}
const bursts = (page: Page) => page.evaluate(() => (window as unknown as { risen: { count: number } }).risen.count);

test("a double tap likes, others see it live, L takes it back, and it is kept", async ({ page, guest, serve }) => {
  test.setTimeout(90_000);
  const server = await serve(["clip_0", "clip_1"]);
  const other = await guest();
  for (const person of [page, other]) {
    await person.goto(`${server.url}/c/clip_1`);
    await plays(person, "clip_1");
    await expect(like(person)).toHaveAttribute("aria-pressed", "false");
    await person.evaluate(countBursts);
  }
  await doubleTap(page, { x: 195, y: 300 });
  await expect(like(page)).toHaveAttribute("aria-pressed", "true");
  await expect(like(page)).toHaveText("1");
  expect(await bursts(page)).toBe(1);
  await expect(like(other)).toHaveText("1", { timeout: LONG_MS });
  await expect(like(other)).toHaveAttribute("aria-pressed", "false");
  await expect.poll(() => bursts(other)).toBe(1);
  // Two taps like and never pause, and two more take nothing back.
  await playsOn(page, "clip_1");
  await doubleTap(page, { x: 195, y: 300 });
  await expect.poll(() => bursts(page)).toBe(2);
  await expect(like(page)).toHaveAttribute("aria-pressed", "true");

  await press(page, "l");
  await expect(like(page)).toHaveAttribute("aria-pressed", "false");
  await expect(like(page)).toHaveText("");
  await expect(like(other)).toHaveText("", { timeout: LONG_MS });

  // No third tap of the two.
  await handRests(400);
  await showControls(page);
  await like(page).tap();
  await expect(like(other)).toHaveText("1", { timeout: LONG_MS });
  await showControls(other);
  await like(other).tap();
  await expect(like(page)).toHaveText("2", { timeout: LONG_MS });
  await expect(like(other)).toHaveText("2");

  // Each reel has its own, and they are there again after a visit elsewhere and after a reload.
  await swipe(page, -1);
  await plays(page, "clip_0");
  await rests(page);
  await expect(like(page)).toHaveAttribute("aria-pressed", "false");
  await expect(like(page)).toHaveText("");
  await page.goto(`${server.url}/c/clip_1`);
  await plays(page, "clip_1");
  await expect(like(page)).toHaveAttribute("aria-pressed", "true");
  // One's own mark is kept in the browser. What nobody could take back, a like without a name, has ended with its socket:
  // the other's stands.
  await expect(like(page)).toHaveText("1", { timeout: LONG_MS });

  // The guide has a ring round what is liked.
  await page.getByRole("link", { name: "Guide" }).first().press("Enter");
  const guide = page.getByRole("dialog");
  await expect(guide.locator("[data-channel=clip_1]")).toHaveAttribute("data-liked", "");
  await expect(guide.locator("[data-channel=clip_0]")).not.toHaveAttribute("data-liked");
});
