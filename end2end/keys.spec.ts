// Wheel, trackpad, keys, mouse and focus.
import { join } from "node:path";

import type { Locator } from "@playwright/test";

import { LONG_MS, active, media, plays, rests, stays } from "./probe";
import { expect, fling, LOW, openChat, press, test } from "./actions";
import { MADE } from "./server";

const LAST = "wide";
const sound = { name: "Sound", exact: true } as const;

test("trap 1: 50 quick notches of a wheel move 50 reels, and one fling of a trackpad one", { tag: "@desktop" }, async ({ page, serve }) => {
  const server = await serve([]);
  for (let n = 1; n <= 60; n++) server.add(`r${n}`, join(MADE, `clip_${n % 11}`));
  await expect.poll(async () => (await (await fetch(`${server.url}/api/channels`)).json()).length, { timeout: LONG_MS }).toBe(60);
  await page.setViewportSize(LOW);
  await page.goto(server.url);
  await plays(page, "r1");
  await page.mouse.move(LOW.width / 2, LOW.height / 2);
  for (let n = 0; n < 50; n++) await page.mouse.wheel(0, 100);
  await plays(page, "r51");
  await stays(page, "r51");
  await fling(page, -1);
  await stays(page, "r50");
  await plays(page, "r50");
  expect(await page.evaluate(() => window.probe.most)).toBe(1);
});

test("20 quick notches of a wheel go to the last of 13, 20 back to the first", { tag: "@desktop" }, async ({ page }) => {
  await page.setViewportSize(LOW);
  await page.goto("/");
  await plays(page, "clip_0");
  await page.mouse.move(LOW.width / 2, LOW.height / 2);
  for (let n = 0; n < 20; n++) await page.mouse.wheel(0, 100);
  await plays(page, LAST);
  await rests(page);
  for (let n = 0; n < 20; n++) await page.mouse.wheel(0, -100);
  await plays(page, "clip_0");
});

test("five quick notches go five on", { tag: ["@desktop", "@smoke"] }, async ({ page }) => {
  await page.goto("/c/clip_2");
  await plays(page, "clip_2");
  await page.mouse.move(720, 450);
  for (let n = 0; n < 5; n++) await page.mouse.wheel(0, 100);
  await plays(page, "clip_7");
  await stays(page, "clip_7");
});

test("a finer wheel tells parts of a notch: four quarters go one on, twelve three, and a rest in between", { tag: "@desktop" }, async ({ page }) => {
  await page.goto("/c/clip_2");
  await plays(page, "clip_2");
  const turn = (deltaY: number, times: number) =>
    page.evaluate(([deltaY, times]) => {
      const picture = document.querySelector("article[aria-current] .picture")!;
      for (let n = 0; n < times!; n++) picture.dispatchEvent(new WheelEvent("wheel", { deltaY, deltaMode: 1, bubbles: true, cancelable: true }));
    }, [deltaY, times]);
  for (const [deltaY, times, channel] of [
    [0.25, 4, "clip_3"], [0.25, 12, "clip_6"], [-0.75, 4, "clip_5"], [-0.1, 10, "clip_4"], [3, 2, "clip_6"], [0.25, 3, "clip_6"],
  ] as const) {
    await turn(deltaY, times);
    await plays(page, channel);
    await stays(page, channel);
  }
});

test("one fling of a trackpad goes one on, and the next one another", { tag: "@desktop" }, async ({ page }) => {
  await page.goto("/c/clip_2");
  await plays(page, "clip_2");
  await page.mouse.move(720, 450);
  await fling(page);
  await stays(page, "clip_3");
  await fling(page);
  await stays(page, "clip_4");
  await fling(page, -1);
  await stays(page, "clip_3");
  await plays(page, "clip_3");
});

test("arrows and page keys move one, Home and End go to the ends", { tag: ["@desktop", "@smoke"] }, async ({ page }) => {
  await page.goto("/c/clip_3");
  await plays(page, "clip_3");
  for (const [key, channel] of [
    ["ArrowDown", "clip_4"], ["PageDown", "clip_5"], ["ArrowUp", "clip_4"], ["PageUp", "clip_3"],
    ["End", LAST], ["ArrowDown", LAST], ["Home", "clip_0"], ["ArrowUp", "clip_0"],
  ] as const) {
    await press(page, key);
    await plays(page, channel);
    await rests(page);
  }
  expect(await page.evaluate(() => window.probe.most)).toBe(1);
});

test("Space pauses and goes on, M switches the sound", { tag: "@desktop" }, async ({ page }) => {
  await page.goto("/");
  await plays(page, "clip_0");
  await press(page, "Space");
  await expect.poll(() => media(page, (video) => video.paused)).toBe(true);
  await expect(page.getByRole("button", { name: "Play", exact: true })).toBeAttached();
  await press(page, "Space");
  await expect.poll(() => media(page, (video) => video.paused)).toBe(false);
  await press(page, "m");
  await expect(page.getByRole("button", sound)).toHaveAttribute("aria-pressed", "true");
  expect(await media(page, (video) => video.muted)).toBe(false);
  await press(page, "m");
  await expect(page.getByRole("button", sound)).toHaveAttribute("aria-pressed", "false");
  expect(await media(page, (video) => video.muted)).toBe(true);
});

test("M as the first key of a visit turns on what was on at the last one, and keeps it", { tag: "@desktop" }, async ({ page }) => {
  await page.goto("/c/clip_3");
  await plays(page, "clip_3");
  await press(page, "m");
  await expect(page.getByRole("button", sound)).toHaveAttribute("aria-pressed", "true");
  for (let visit = 0; visit < 2; visit++) {
    await page.reload();
    await plays(page, "clip_3");
    expect(await media(page, (video) => video.muted), "without a gesture").toBe(true);
    await press(page, "m");
    await expect(page.getByRole("button", sound)).toHaveAttribute("aria-pressed", "true");
    expect(await media(page, (video) => video.muted)).toBe(false);
  }
  // By its button too; and any other key brings it back by itself.
  await page.reload();
  await plays(page, "clip_3");
  await page.getByRole("button", sound).focus();
  await press(page, "Enter");
  expect(await media(page, (video) => video.muted)).toBe(false);
  await page.reload();
  await plays(page, "clip_3");
  await press(page, "l");
  expect(await media(page, (video) => video.muted)).toBe(false);
  // What was switched off stays off.
  await press(page, "m");
  await page.reload();
  await plays(page, "clip_3");
  await press(page, "l");
  expect(await media(page, (video) => video.muted)).toBe(true);
});

test("trap 20: keys do nothing while one types", { tag: "@both" }, async ({ page, isMobile }) => {
  await page.goto("/c/clip_3");
  await plays(page, "clip_3");
  if (isMobile) await openChat(page);
  const box = page.getByRole("textbox", { name: "Message" });
  await box.focus();
  await page.keyboard.type("m f m c l g ? 5 ");
  for (const key of ["ArrowDown", "ArrowUp", "PageDown", "Home", "End"]) await press(page, key);
  // A digit waits for the next one before it goes anywhere.
  await stays(page, "clip_3", 1_300);
  await expect(box).toHaveValue("m f m c l g ? 5 ");
  // The open chat hides the sound button of a phone: the element itself tells.
  expect(await media(page, (video) => video.muted)).toBe(true);
  expect(await media(page, (video) => video.paused)).toBe(false);
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await expect(page.locator(".like")).toHaveAttribute("aria-pressed", "false");
});

test("Space on a button is that button's alone", { tag: "@desktop" }, async ({ page }) => {
  await page.goto("/");
  await plays(page, "clip_0");
  await page.getByRole("button", sound).focus();
  await press(page, "Space");
  await expect(page.getByRole("button", sound)).toHaveAttribute("aria-pressed", "true");
  expect(await media(page, (video) => video.paused)).toBe(false);
  await press(page, "Enter");
  await expect(page.getByRole("button", sound)).toHaveAttribute("aria-pressed", "false");
});

test("a mouse drags one reel on, and a click pauses", { tag: "@desktop" }, async ({ page }) => {
  await page.goto("/c/clip_3");
  await plays(page, "clip_3");
  await page.mouse.move(720, 600);
  await page.mouse.down();
  await page.mouse.move(720, 300, { steps: 8 });
  await page.mouse.up();
  await plays(page, "clip_4");
  await rests(page);
  await page.mouse.click(720, 450);
  await expect.poll(() => media(page, (video) => video.paused)).toBe(true);
  await stays(page, "clip_4");
});

test("focus that enters another article makes it the active one", { tag: "@desktop" }, async ({ page }) => {
  await page.goto("/c/clip_3");
  await plays(page, "clip_3");
  // A screen reader moves by focus.
  await page.locator('article[data-channel="clip_4"]').focus();
  await plays(page, "clip_4");
  await rests(page);
  await expect(active(page)).toBeFocused();
  await press(page, "ArrowUp");
  await plays(page, "clip_3");
  await rests(page);
  await expect(active(page)).toBeFocused();
  // Tab leads out of the feed, to the controls.
  await press(page, "Tab");
  await expect(page.locator("article:focus")).toHaveCount(0);
  await stays(page, "clip_3");
});

test("a window of another size keeps the reel", { tag: "@desktop" }, async ({ page }) => {
  await page.goto("/c/clip_3");
  await plays(page, "clip_3");
  for (const [width, height] of [[1000, 700], [500, 900], [1440, 900]] as const) {
    await page.setViewportSize({ width, height });
    await rests(page);
    await plays(page, "clip_3");
  }
});

test("a notch moves one reel over the controls, the dock and the strip beside it, and none over what scrolls by itself", { tag: "@desktop" }, async ({ page }) => {
  test.setTimeout(60_000);
  await page.goto("/c/clip_2");
  await plays(page, "clip_2");
  let channel = 2;
  const over = async (part: Locator) => {
    const box = (await part.boundingBox())!;
    // What is there, the controls light up under the pointer.
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2 - 3);
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    await expect.poll(() => part.evaluate((e) => e.matches(":hover")), { message: "the pointer is over it" }).toBe(true);
  };
  await page.mouse.move(720, 300);
  for (const part of [page.getByRole("slider", { name: "Position" }), page.getByRole("button", { name: "Sound", exact: true }), page.locator(".strip-list")]) {
    await page.mouse.move(720, 300);
    await page.mouse.move(720, 310);
    await expect(page.getByRole("main")).toHaveAttribute("data-controls", "");
    await over(part);
    for (const way of [1, 1, -1]) {
      await page.mouse.wheel(0, way * 100);
      channel += way;
      await stays(page, `clip_${channel}`);
    }
  }
  await page.mouse.move(720, 300);
  await page.mouse.move(720, 310);
  await page.getByRole("button", { name: "Playback" }).click();
  const menu = page.getByRole("group", { name: "Playback" });
  for (const [part, leave] of [
    [menu, () => press(page, "Escape")],
    [page.getByRole("log"), () => press(page, "g")],
    [page.getByRole("dialog"), () => press(page, "Escape")],
  ] as const) {
    await expect(part).toBeVisible();
    await over(part);
    await page.mouse.wheel(0, 100);
    await page.mouse.wheel(0, -100);
    await page.mouse.wheel(0, 100);
    await stays(page, `clip_${channel}`);
    await expect(part).toBeVisible();
    await leave();
  }
  await expect(page.getByRole("dialog")).toBeHidden();
  await plays(page, `clip_${channel}`);
});
