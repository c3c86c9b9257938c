// For everybody: axe finds nothing in any state, the keyboard reaches everything, focus comes back, motion can be less.
import type { Page } from "@playwright/test";

import { complaints, VIEWS } from "./axe";
import { LONG_MS, active, nothingFor, plays, rests } from "./probe";
import { expect, press, test } from "./actions";

/** How much of what has the focus is seen, by its own opacity and that of everything around it. */
function light(page: Page): Promise<number> {
  return page.evaluate(() => {
    let least = 1;
    for (let e = document.activeElement; e; e = e.parentElement) least = Math.min(least, Number(getComputedStyle(e).opacity));
    return least;
  });
}

/** Brings the controls out and keeps them: focus is inside. */
async function takeControls(page: Page): Promise<void> {
  await page.locator(".controls .play").focus();
  await press(page, "Shift+Tab");
  await press(page, "Tab");
  await expect(page.locator(".controls .dock")).toBeVisible();
  await expect.poll(() => light(page), { message: "the controls are out" }).toBe(1);
}

for (const { width, height, colorScheme, locale } of VIEWS) {
  test(`axe has nothing to say of any state at ${width}x${height}, ${colorScheme}, ${locale}`, async ({ guest, serve, expects }) => {
    test.setTimeout(150_000);
    expects(/status of (404|500)|Failed to load resource/);
    const said: Record<string, string[]> = {};
    const page = await guest({ viewport: { width, height }, colorScheme, locale, bypassCSP: true, isMobile: width < 1000, hasTouch: width < 1000 });
    const look = async (state: string) => {
      const found = await complaints(page);
      if (found.length > 0) said[state] = found;
    };
    await page.goto("/c/clip_3");
    await plays(page, "clip_3");
    await rests(page);
    await look("at rest");
    await takeControls(page);
    await look("with controls");
    await page.locator(".menu-button").focus();
    await press(page, "Enter");
    await expect(page.locator(".menu")).toBeVisible();
    await look("menu");
    await press(page, "Escape");
    await page.locator(".share").focus();
    await press(page, "Enter");
    await expect(page.getByRole("dialog")).toBeVisible();
    await look("share sheet");
    await press(page, "Escape");
    await press(page, "?");
    await expect(page.getByRole("dialog")).toBeVisible();
    await look("keyboard");
    await press(page, "Escape");
    await press(page, "g");
    await expect(page.getByRole("searchbox")).toBeFocused();
    await expect(page.getByRole("dialog").locator(".film-frame").first()).toBeVisible();
    await look("guide");
    await press(page, "Escape");
    await expect(page.getByRole("dialog")).toHaveCount(0);
    // Enter belongs to a focused control.
    await active(page).focus();
    await press(page, "Enter");
    const box = page.getByRole("textbox", { name: /^(Message|Mensaje)$/ });
    await expect(box).toBeVisible();
    await box.focus();
    await look("chat");
    await box.fill("hola");
    await press(page, "Enter");
    await expect(page.getByRole("textbox", { name: /^(Your name|Tu nombre)$/ })).toBeFocused();
    await look("name");
    await page.route("**/streams/clip_4/playlist.m3u8", (route) => route.fulfill({ status: 500 }));
    await page.goto("/c/clip_4");
    await expect(page.getByRole("alert")).toBeVisible({ timeout: 20_000 });
    await look("failure");
    await page.goto("/c/nobody");
    await look("404");
    await page.goto("/pulse");
    await look("pulse");
    await page.goto((await serve([])).url);
    await look("empty");
    expect(said).toEqual({});
  });
}

test("Tab reaches every control, in the order they are seen, and brings them out", { tag: "@both" }, async ({ page }) => {
  await page.goto("/c/clip_3");
  await plays(page, "clip_3");
  // The slate of an arrival goes.
  await expect(page.getByRole("main")).not.toHaveAttribute("data-slate", { timeout: LONG_MS });
  await active(page).focus();
  const wanted = await page.evaluate(() =>
    [...document.querySelectorAll(".controls button, .controls [role=slider], .top a, .top button")]
      .filter((e) => e.checkVisibility())
      .map((e) => e.getAttribute("aria-label") ?? e.textContent),
  );
  expect(wanted.length).toBeGreaterThan(5);
  const reached: string[] = [];
  for (let n = 0; n < 40 && !wanted.every((name) => reached.includes(name!)); n++) {
    await press(page, "Tab");
    const { name, shown } = await page.evaluate(() => {
      const e = document.activeElement!;
      return {
        name: e.getAttribute("aria-label") ?? e.textContent ?? "",
        shown: e.checkVisibility({ visibilityProperty: true }),
      };
    });
    reached.push(name);
    expect(shown, `${name} is there`).toBe(true);
    await expect.poll(() => light(page), { message: `${name} is seen` }).toBe(1);
  }
  expect(wanted.filter((name) => !reached.includes(name!)), `reached ${reached.join(", ")}`).toEqual([]);
  await expect(active(page)).toHaveAttribute("data-channel", "clip_3");
  await plays(page, "clip_3");
});

for (const [width, height] of [[390, 844], [844, 390], [768, 1024], [1440, 900]] as const) {
  test(`at ${width}x${height} Tab goes through the dock as the eyes do`, async ({ guest }) => {
    const page = await guest({ viewport: { width, height } });
    await page.goto("/c/clip_3");
    await plays(page, "clip_3");
    await page.locator(".controls .film-edge").focus();
    const seen: { x: number; y: number; name: string }[] = [];
    for (let n = 0; n < 8; n++) {
      await press(page, "Tab");
      const stop = await page.evaluate(() => {
        const e = document.activeElement!;
        const { left, top } = e.getBoundingClientRect();
        return e.closest(".dock") ? { x: Math.round(left), y: Math.round(top), name: e.getAttribute("aria-label") ?? "" } : undefined;
      });
      if (stop) seen.push(stop);
    }
    expect(seen.length).toBeGreaterThan(4);
    // Row by row, in each from the left.
    const sorted = [...seen].sort((a, b) => a.y - b.y || a.x - b.x);
    expect(seen.map((stop) => stop.name)).toEqual(sorted.map((stop) => stop.name));
  });
}

test("a window that is turned keeps the focus in the dock", async ({ guest }) => {
  const page = await guest({ viewport: { width: 390, height: 844 } });
  await page.goto("/c/clip_3");
  await plays(page, "clip_3");
  await page.locator(".like").focus();
  await page.setViewportSize({ width: 844, height: 390 });
  await rests(page);
  await expect(page.locator(".like")).toBeFocused();
  expect(await page.locator(".dock > button").first().getAttribute("class")).toContain("like");
});

test("by keyboard one passes the list of reels by, to the controls", { tag: "@desktop" }, async ({ page }) => {
  await page.goto("/c/clip_3");
  await plays(page, "clip_3");
  await active(page).focus();
  const stops: string[] = [];
  for (let n = 0; n < 8; n++) {
    await press(page, "Tab");
    stops.push(await page.evaluate(() => document.activeElement?.textContent?.trim() ?? ""));
    if (stops.at(-1) === "To the controls") break;
  }
  expect(stops.at(-1), stops.join(", ")).toBe("To the controls");
  await expect(page.getByRole("button", { name: "To the controls" })).toBeInViewport();
  await press(page, "Enter");
  await expect(page.locator(".controls .play")).toBeFocused();
  await expect.poll(() => light(page)).toBe(1);
});

test("a reel without a poster keeps its frame and its number in the list", { tag: "@desktop" }, async ({ page, serve }) => {
  const server = await serve(["clip_2", "clip_3", "tone"]);
  await page.goto(`${server.url}/c/clip_2`);
  await plays(page, "clip_2");
  const rows = page.locator(".strip-list li");
  await expect(rows).toHaveCount(3);
  const box = async (channel: string, part: string) => (await page.locator(`.strip-list [data-key="${channel}"] ${part}`).boundingBox())!;
  const [with_, without] = [await box("clip_3", "a"), await box("tone", "a")];
  expect(without.height).toBe(with_.height);
  expect((await box("tone", "b")).x, "its title stands where the others do").toBe((await box("clip_3", "b")).x);
  expect((await box("tone", ".edge-print")).x).toBe((await box("clip_3", ".edge-print")).x);
  expect((await box("tone", ".edge-print")).height).toBe((await box("clip_3", ".edge-print")).height);
  const frame = await page.locator('.strip-list [data-key="tone"] a').evaluate((a) => {
    const { content, width, height } = getComputedStyle(a, "::before");
    return [content, width, height];
  });
  expect(frame).toEqual(['"3"', "56px", "70px"]);
});

test("dialogs give the focus back to what opened them", { tag: "@desktop" }, async ({ page }) => {
  await page.goto("/c/clip_3");
  await plays(page, "clip_3");
  for (const selector of [".share", ".help-button", ".tools .hole[href='/guide']"]) {
    const opener = page.locator(selector);
    await opener.focus();
    await press(page, "Enter");
    await expect(page.getByRole("dialog")).toBeVisible();
    await expect(page.getByRole("dialog").locator(":focus")).toHaveCount(1);
    // Tab stays inside.
    for (let n = 0; n < 3; n++) await press(page, "Tab");
    expect(await page.evaluate(() => document.activeElement?.closest("dialog, body")?.tagName)).toMatch(/DIALOG|BODY/);
    await press(page, "Escape");
    await expect(page.getByRole("dialog")).toHaveCount(0);
    await expect(opener, selector).toBeFocused();
  }
  await plays(page, "clip_3");
});

test("with reduced motion nothing peeks and a key jumps; with more contrast it renders", async ({ guest }) => {
  test.setTimeout(60_000);
  const page = await guest({
    viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true, reducedMotion: "reduce", contrast: "more", bypassCSP: true,
  });
  await page.goto("/");
  await plays(page, "clip_0");
  const hints = () => page.getByRole("main").getAttribute("data-hint");
  await nothingFor(2_500, "a hint comes 1.2 s after the picture", hints, null);
  await page.evaluate(() => {
    const slides: number[] = [];
    const animate = Element.prototype.animate;
    Element.prototype.animate = function (...all) {
      const animation = animate.apply(this, all);
      if (this.classList.contains("strip")) slides.push(Number(animation.effect?.getComputedTiming().duration ?? 0));
      return animation;
    };
    Object.assign(window, { slides });
  });
  await press(page, "ArrowDown");
  await plays(page, "clip_1");
  await rests(page);
  const slides = () => page.evaluate(() => (window as unknown as { slides: number[] }).slides);
  expect((await slides()).filter((ms) => ms > 1), "ms of a slide").toEqual([]);
  // It would have been seen: without that wish a key slides.
  await page.emulateMedia({ reducedMotion: "no-preference" });
  await press(page, "ArrowDown");
  await plays(page, "clip_2");
  expect(Math.max(...(await slides())), "ms of a slide").toBeGreaterThan(100);
  await page.emulateMedia({ reducedMotion: "reduce" });
  await rests(page);
  await takeControls(page);
  expect(await complaints(page)).toEqual([]);
});
