// Small windows, large letters, and colours that the device chooses: everything stays in reach, and every state is seen.
import type { Page } from "@playwright/test";

import { LONG_MS, active, media, plays, rests, settles } from "./probe";
import { devtools, expect, press, test } from "./actions";

/** Brings the controls out and keeps them: focus is inside. */
async function takeControls(page: Page): Promise<void> {
  await page.locator(".controls .play").focus();
  await press(page, "Shift+Tab");
  await press(page, "Tab");
  await expect.poll(() => page.locator(".controls").evaluate((e) => getComputedStyle(e).opacity)).toBe("1");
}

/** Which controls a finger does not find where they are drawn, and which lie outside the window. Runs in the page. */
function lost(least: number): string[] {
  const found: string[] = [];
  for (const e of document.querySelectorAll<HTMLElement>(".controls button, .controls [role=slider], .top a")) {
    if (!e.checkVisibility({ visibilityProperty: true })) continue;
    const { left, top, right, bottom, width, height } = e.getBoundingClientRect();
    const name = `${e.className} ${[left, top, right, bottom].map(Math.round)}`;
    if (left < -0.5 || top < -0.5 || right > innerWidth + 0.5 || bottom > innerHeight + 0.5) found.push(`${name} is outside`);
    const there = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
    if (!there || !(e.contains(there) || there.contains(e))) found.push(`${name} is under ${there?.className}`);
    if (Math.min(width, height) < least - 0.5) found.push(`${name} is too small`);
  }
  return found;
}

const SMALL = [
  [320, 256, 24], [427, 341, 44], [512, 410, 44], [568, 320, 44], [640, 256, 44], [640, 360, 44], [667, 375, 44], [844, 390, 44],
  [932, 430, 44], [640, 512, 44],
] as const;
for (const channel of ["clip_3", "wide"]) {
  test(`every control is in reach in small windows and on phones on their side, at ${channel}`, async ({ guest }) => {
    test.setTimeout(60_000);
    const page = await guest({ viewport: { width: 844, height: 390 } });
    await page.goto(`/c/${channel}`);
    await plays(page, channel);
    const said: Record<string, string[]> = {};
    for (const [width, height, least] of SMALL) {
      await page.setViewportSize({ width, height });
      await rests(page);
      await takeControls(page);
      await page.mouse.move(width / 2, height / 2 - 4);
      await page.mouse.move(width / 2, height / 2);
      await expect.poll(() => page.locator(".top").evaluate((e) => getComputedStyle(e).opacity)).toBe("1");
      const found = await page.evaluate(lost, least);
      if (found.length > 0) said[`${width}x${height}`] = found;
    }
    expect(said).toEqual({});
  });
}

test("at 320x256 the menu, the share sheet, the keys and the guide can be read to their ends", async ({ guest }) => {
  const page = await guest({ viewport: { width: 320, height: 256 } });
  await page.goto("/c/clip_3");
  await plays(page, "clip_3");
  /** Whether the last thing in it can be brought into the window. */
  const ends = (selector: string, last: string) =>
    page.locator(selector).evaluate((e, last) => {
      const target = [...e.querySelectorAll(last)].filter((each) => each.checkVisibility()).at(-1)!;
      target.scrollIntoView({ block: "nearest" });
      const { top, bottom, left, right } = target.getBoundingClientRect();
      return top >= -0.5 && bottom <= innerHeight + 0.5 && left >= -0.5 && right <= innerWidth + 0.5;
    }, last);
  await takeControls(page);
  await page.locator(".menu-button").focus();
  await press(page, "Enter");
  expect(await ends(".menu", "label")).toBe(true);
  await press(page, "Escape");
  await page.locator(".share").focus();
  await press(page, "Enter");
  expect(await ends(".share-sheet", "button")).toBe(true);
  await press(page, "Escape");
  await press(page, "?");
  expect(await ends(".help", "label")).toBe(true);
  await press(page, "Escape");
  await press(page, "g");
  await expect(page.getByRole("dialog").locator(".film-frame").first()).toBeVisible();
  expect(await ends(".guide-dialog", ".film-frame a")).toBe(true);
});

test("the reader's own size of letters counts: title, description, print, chat and fields grow with it", { tag: "@both" }, async ({ page }) => {
  await page.goto("/c/clip_3");
  await plays(page, "clip_3");
  await press(page, "Enter");
  const sizes = () =>
    page.evaluate(() =>
      Object.fromEntries(
        ["article[aria-current] h2", ".description", "article[aria-current] .edge-print", ".chat .field", ".chat .quiet, .chat .message", ".time"].map(
          (selector) => [selector, Number.parseFloat(getComputedStyle(document.querySelector(selector)!).fontSize)],
        ),
      ),
    );
  const before = await sizes();
  expect(before["article[aria-current] h2"]).toBe(23);
  for (const size of [32, 10]) {
    await (await devtools(page)).send("Page.setFontSizes", { fontSizes: { standard: size } });
    const after = await sizes();
    for (const [selector, px] of Object.entries(before)) {
      const grown = (px * size) / 16;
      expect(after[selector], `${selector} at ${size}`).toBeCloseTo(selector.includes("field") ? Math.max(16, grown) : grown, 1);
    }
  }
  // Nothing sticks out sideways of a window of the letters' size.
  await (await devtools(page)).send("Page.setFontSizes", { fontSizes: { standard: 32 } });
  expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
});

for (const colorScheme of ["dark", "light"] as const) {
  test(`in forced colours every state is seen, ${colorScheme}`, async ({ guest }) => {
    const page = await guest({ viewport: { width: 1440, height: 900 }, forcedColors: "active", colorScheme });
    await page.goto("/c/clip_3");
    await plays(page, "clip_3");
    /** The colour that something is filled with, of its own or of a part that it draws. */
    const fill = (selector: string, part?: string) =>
      page.locator(selector).first().evaluate((e, part) => getComputedStyle(e, part).backgroundColor, part);
    const canvas = await page.evaluate(() => {
      const probe = Object.assign(document.createElement("i"), { style: "background:Canvas" });
      document.body.append(probe);
      const colour = getComputedStyle(probe).backgroundColor;
      probe.remove();
      return colour;
    });
    await takeControls(page);
    // The progress, what is done of it, and the marks.
    const [holes, played] = [await fill(".run .holes"), await fill(".run .played")];
    expect(new Set([holes, played, canvas]).size, `${holes} ${played} ${canvas}`).toBe(3);
    expect(await fill("article[aria-current] .mark")).not.toBe(canvas);
    // What is pressed differs from what is not.
    const before = await fill(".sound");
    await page.locator(".sound").focus();
    await press(page, "Enter");
    await expect(page.locator(".sound")).toHaveAttribute("aria-pressed", "true");
    expect(await fill(".sound")).not.toBe(before);
    await press(page, "l");
    await expect(page.locator(".like")).toHaveAttribute("aria-pressed", "true");
    expect(await fill(".like")).not.toBe(await fill(".share"));
    expect(await fill(".strip-list [aria-current]")).not.toBe(await fill(".strip-list a:not([aria-current])"));
    // The menu: what is chosen, and both switches, on and off.
    await page.locator(".menu-button").focus();
    await press(page, "Enter");
    expect(await fill(".menu-button")).not.toBe(await fill(".share"));
    expect(await fill(".speeds label:has(:checked)")).not.toBe(await fill(".speeds label:not(:has(:checked))"));
    // That of the music: without the other one the reel goes on at its end, and the menu closes.
    const music = '.menu [role="switch"].goes-on';
    const one = page.locator(music);
    const state = async () => [await fill(music), await fill(music, "::before")];
    const on = await state();
    expect(new Set(on).size, "the switch is seen in its frame").toBe(2);
    await one.click();
    expect(await state()).not.toEqual(on);
    expect(new Set(await state()).size).toBe(2);
    expect(await one.evaluate((e) => getComputedStyle(e).borderTopStyle)).toBe("solid");
    await press(page, "Escape");
    await press(page, "?");
    expect(new Set([await fill('.help [role="switch"]'), await fill('.help [role="switch"]', "::before")]).size).toBe(2);
    await press(page, "Escape");
    // The film beside the picture is drawn, and buttons have an edge.
    expect(await page.locator(".film-edges").evaluate((e) => getComputedStyle(e).forcedColorAdjust)).toBe("none");
    expect(await page.locator(".share").evaluate((e) => getComputedStyle(e).borderTopStyle)).toBe("solid");
    await expect(active(page)).toHaveAttribute("data-channel", "clip_3");
  });
}

/** What is drawn and stands on the picture, or on the light beside it, without a ground of the device's own. Runs in the page. */
function groundless(): string[] {
  const probe = Object.assign(document.createElement("i"), { style: "background:Canvas;color:Highlight" });
  document.body.append(probe);
  const { backgroundColor: canvas, color: highlight } = getComputedStyle(probe);
  probe.remove();
  const found: string[] = [];
  for (const e of document.querySelectorAll<Element>(".room svg, .room .mark, .room .holes, .room .brand")) {
    if (!e.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
    const box = e.getBoundingClientRect();
    if (box.width === 0 || box.bottom <= 0 || box.top >= innerHeight || e.closest("dialog, .film-edges, .sound-track, .burst")) continue;
    let ground: Element | null = e.matches(".mark, .holes") ? e.parentElement : e;
    const stands = (on: Element) => {
      const { left, top, right, bottom } = on.getBoundingClientRect();
      const covers = left <= box.left + 1 && top <= box.top + 1 && right >= box.right - 1 && bottom >= box.bottom - 1;
      return covers && [canvas, highlight].includes(getComputedStyle(on).backgroundColor);
    };
    // The room is filled too, but its pictures lie on that.
    while (ground && !ground.matches(".room, .feed, .strip, .reel") && !stands(ground)) ground = ground.parentElement;
    if (!ground || ground.matches(".room, .feed, .strip, .reel")) found.push(`${e.closest("[class]:not(svg, .mark, .holes)")?.className}: ${e.getAttribute("class")}`);
  }
  return [...new Set(found)];
}

/** Each size and each scheme, but not each with each other. */
const ALL = [[1440, 900], [390, 844], [844, 390]] as const;
const SIZES = process.env.FULL ? { dark: ALL, light: ALL } : { dark: [ALL[0], ALL[2]], light: [ALL[1]] };
for (const colorScheme of ["dark", "light"] as const) {
  test(`in forced colours what is drawn on the picture stands on the device's own ground, ${colorScheme}`, async ({ guest, expects }) => {
    test.setTimeout(90_000);
    expects(/Failed to load resource/);
    const said: Record<string, string[]> = {};
    for (const [width, height] of SIZES[colorScheme]) {
      const page = await guest({ viewport: { width, height }, forcedColors: "active", colorScheme });
      const look = async (when: string) => {
        await settles(page, ".room");
        const found = await page.evaluate(groundless);
        if (found.length > 0) said[`${when} at ${width}x${height}`] = found;
      };
      await page.goto("/c/clip_3");
      await plays(page, "clip_3");
      await look("on arrival");
      await expect(page.getByRole("main")).not.toHaveAttribute("data-slate", { timeout: LONG_MS });
      await look("at rest");
      await takeControls(page);
      await look("with controls");
      await media(page, (video) => video.pause());
      await expect(active(page).locator(".play-overlay")).toBeVisible();
      await look("paused");
      await page.route("**/streams/clip_4/playlist.m3u8", (route) => route.fulfill({ status: 500 }));
      await page.goto("/c/clip_4");
      await expect(page.locator(".leader")).toHaveAttribute("data-waits", "");
      await expect(page.getByRole("alert")).toBeVisible({ timeout: 20_000 });
      await look("failed");
      await page.context().close();
    }
    expect(said).toEqual({});
  });
}

test("the focus frame of the chat's log stands beside its letters", { tag: "@desktop" }, async ({ page }) => {
  await page.goto("/c/clip_3");
  await plays(page, "clip_3");
  const room = await page.locator(".chat .log").evaluate((log) => {
    const { outlineOffset, outlineWidth, paddingLeft } = getComputedStyle(log);
    log.focus();
    const now = getComputedStyle(log);
    return { frame: -Number.parseFloat(now.outlineOffset) || -Number.parseFloat(outlineOffset), width: outlineWidth, padding: Number.parseFloat(paddingLeft) };
  });
  expect(room.padding).toBeGreaterThanOrEqual(6);
});
