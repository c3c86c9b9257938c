// How a reel is played: its quality, its speed, a finger that holds.
import type { Page } from "@playwright/test";

import { media, plays, rests } from "./eyes";
import { devtools, expect, press, showControls, swipe, test } from "./hands";

const menu = (page: Page) => page.getByRole("group", { name: "Playback" });

async function openMenu(page: Page): Promise<void> {
  await showControls(page);
  await page.getByRole("button", { name: "Playback" }).tap();
  await expect(menu(page)).toBeVisible();
  await expect(page.getByRole("button", { name: "Playback" })).toHaveAttribute("aria-expanded", "true");
}

test("a quality is chosen and shown, a speed is carried to the next reel", async ({ page, house }) => {
  test.setTimeout(90_000);
  const home = await house(["ladder_1", "ladder_2"]);
  await page.goto(home.url);
  await plays(page, "ladder_1");
  await openMenu(page);
  const level = (name: string | RegExp) => menu(page).getByRole("radio", { name });
  await expect(level(/^Automatic/)).toBeChecked();
  const names = await menu(page).locator(".levels label").allInnerTexts();
  expect(names.map((name) => name.split(/\s/)[0])).toEqual(["Automatic", "720p", "360p"]);
  await expect(menu(page).getByText(/^0[.]\d Mb\/s$/)).toHaveCount(2);

  const lines = () => media(page, (video) => video.videoHeight);
  for (const [name, height] of [[/^720p/, 720], [/^360p/, 360]] as const) {
    await level(name).check();
    await expect.poll(lines, { timeout: 20_000, message: `${height} lines are shown` }).toBe(height);
    await expect(level(/^Automatic/)).not.toBeChecked();
  }
  await menu(page).getByRole("radio", { name: "1.5×" }).check();
  expect(await media(page, (video) => video.playbackRate)).toBe(1.5);
  // Escape gives the focus back.
  await press(page, "Escape");
  await expect(menu(page)).toBeHidden();
  await expect(page.getByRole("button", { name: "Playback" })).toBeFocused();

  await swipe(page);
  await plays(page, "ladder_2");
  await rests(page);
  expect(await media(page, (video) => video.playbackRate)).toBe(1.5);
  await openMenu(page);
  await expect(level(/^360p/)).toBeChecked();
  await expect(menu(page).getByRole("radio", { name: "1.5×" })).toBeChecked();
  await level(/^Automatic/).check();
  await expect(level(/^Automatic/)).toBeChecked();
});

test("a finger that holds plays twice as fast, and back when it lifts", async ({ page }) => {
  await page.goto("/c/clip_3");
  await plays(page, "clip_3");
  const session = await devtools(page);
  const rate = () => media(page, (video) => video.playbackRate);
  expect(await rate()).toBe(1);
  await session.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints: [{ x: 195, y: 300, id: 0 }] });
  await expect.poll(rate).toBe(2);
  await expect(page.getByText("2× while you hold")).toHaveCSS("opacity", "1");
  await expect(page.getByRole("main")).toHaveAttribute("data-fast", "");
  await page.waitForTimeout(300);
  await session.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
  await expect.poll(rate).toBe(1);
  await expect(page.getByRole("main")).not.toHaveAttribute("data-fast");
  await expect(page.getByText("2× while you hold")).toHaveCSS("opacity", "0");
  await page.waitForTimeout(500);
  expect(await media(page, (video) => video.paused), "a hold is no tap").toBe(false);
  await plays(page, "clip_3");
});

test("a quality chosen when the neighbour is warm already holds there too", async ({ page, house }) => {
  test.setTimeout(60_000);
  const home = await house(["ladder_1", "ladder_2"]);
  await page.goto(home.url);
  await plays(page, "ladder_1");
  // Two reels: the neighbour is prepared by now.
  await page.waitForTimeout(2_000);
  await openMenu(page);
  await menu(page).getByRole("radio", { name: /^360p/ }).check();
  await expect.poll(() => media(page, (video) => video.videoHeight), { timeout: 20_000 }).toBe(360);
  await press(page, "Escape");
  await swipe(page);
  await plays(page, "ladder_2");
  await expect.poll(() => media(page, (video) => video.videoHeight), { timeout: 20_000 }).toBe(360);
});

test("an upright picture has the qualities that people know it by", async ({ page, house }) => {
  const home = await house(["ladder_3"]);
  await page.goto(home.url);
  await plays(page, "ladder_3");
  await openMenu(page);
  const names = await menu(page).locator(".levels label").allInnerTexts();
  expect(names.map((name) => name.split(/\s/)[0])).toEqual(["Automatic", "720p", "360p"]);
});
