// How a reel is played: its quality, its speed, a finger that holds.
import type { Page } from "@playwright/test";

import { LONG_MS, media, nothingFor, plays, playsOn, rests, stays } from "./probe";
import { devtools, drag, expect, flingEnds, press, showControls, swipe, test } from "./actions";

const menu = (page: Page) => page.getByRole("group", { name: "Playback" });

async function openMenu(page: Page): Promise<void> {
  await showControls(page);
  await page.getByRole("button", { name: "Playback" }).tap();
  await expect(menu(page)).toBeVisible();
  await expect(page.getByRole("button", { name: "Playback" })).toHaveAttribute("aria-expanded", "true");
}

test("a quality is chosen and shown, a speed is carried to the next reel", async ({ page, serve }) => {
  test.setTimeout(90_000);
  const server = await serve(["ladder_1", "ladder_2"]);
  await page.goto(server.url);
  await plays(page, "ladder_1");
  await openMenu(page);
  const level = (name: string | RegExp) => menu(page).getByRole("radio", { name });
  await expect(level(/^Automatic/)).toBeChecked();
  const names = await menu(page).locator(".levels label").allInnerTexts();
  expect(names.map((name) => name.split(/\s/)[0])).toEqual(["Automatic", "720p", "360p"]);
  await expect(menu(page).getByText(/^0[.]\d Mb\/s$/)).toHaveCount(2);

  const shown = () => media(page, (video) => video.videoHeight);
  for (const [name, height] of [[/^720p/, 720], [/^360p/, 360]] as const) {
    await level(name).check();
    await expect.poll(shown, { timeout: 20_000, message: `a height of ${height} is shown` }).toBe(height);
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
  await nothingFor(300, "the speed goes back under the finger", rate, 2);
  await session.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
  await expect.poll(rate).toBe(1);
  await expect(page.getByRole("main")).not.toHaveAttribute("data-fast");
  await expect(page.getByText("2× while you hold")).toHaveCSS("opacity", "0");
  // A hold is no tap.
  await playsOn(page, "clip_3");
});

test("a quality chosen when the neighbour is warm already holds there too", async ({ page, serve }) => {
  test.setTimeout(60_000);
  const server = await serve(["ladder_1", "ladder_2"]);
  let warmed = 0;
  page.on("requestfinished", (request) => (warmed += Number(/\/streams\/ladder_2\/.*\.ts/.test(request.url()))));
  await page.goto(server.url);
  await plays(page, "ladder_1");
  await expect.poll(() => warmed, { timeout: LONG_MS, message: "the neighbour is prepared" }).toBeGreaterThan(0);
  await openMenu(page);
  await menu(page).getByRole("radio", { name: /^360p/ }).check();
  await expect.poll(() => media(page, (video) => video.videoHeight), { timeout: 20_000 }).toBe(360);
  await press(page, "Escape");
  await swipe(page);
  await plays(page, "ladder_2");
  await expect.poll(() => media(page, (video) => video.videoHeight), { timeout: 20_000 }).toBe(360);
});

test("an upright picture has the qualities that people know it by", async ({ page, serve }) => {
  const server = await serve(["ladder_3"]);
  await page.goto(server.url);
  await plays(page, "ladder_3");
  await openMenu(page);
  const names = await menu(page).locator(".levels label").allInnerTexts();
  expect(names.map((name) => name.split(/\s/)[0])).toEqual(["Automatic", "720p", "360p"]);
});

test("a swipe, or a number, closes the menu and goes on", async ({ page }) => {
  await page.goto("/c/clip_3");
  await plays(page, "clip_3");
  // The lower half of a phone is the menu's.
  const above = () => drag(page, { x: 195, y: 400 }, [-30, -70, -120, -170, -220, -260]);
  for (const [n, go] of [above, () => press(page, "ArrowDown"), () => press(page, "8")].entries()) {
    await openMenu(page);
    await go();
    const channel = ["clip_4", "clip_5", "clip_7"][n]!;
    await plays(page, channel);
    await expect(menu(page)).toBeHidden();
    await expect(page.getByRole("button", { name: "Playback", includeHidden: true })).toHaveAttribute("aria-expanded", "false");
    await rests(page);
    await flingEnds();
  }
});

test("a wheel closes the menu and goes on, but for one that turns over the menu", { tag: "@desktop" }, async ({ page }) => {
  await page.goto("/c/clip_3");
  await plays(page, "clip_3");
  const open = async () => {
    await page.mouse.move(720, 300);
    await page.getByRole("button", { name: "Playback" }).click();
    await expect(menu(page)).toBeVisible();
  };
  await open();
  await page.mouse.move(720, 200);
  await page.mouse.wheel(0, 100);
  await plays(page, "clip_4");
  await expect(menu(page)).toBeHidden();
  await rests(page);
  await open();
  const { x, y, width, height } = (await menu(page).boundingBox())!;
  await page.mouse.move(x + width / 2, y + height / 2);
  await page.mouse.wheel(0, 100);
  await stays(page, "clip_4");
  await expect(menu(page)).toBeVisible();
  await press(page, "PageDown");
  await plays(page, "clip_5");
  await expect(menu(page)).toBeHidden();
});
