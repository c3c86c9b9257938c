// What is said beside a reel: the hint of a first visit, what comes next, what is live, what is new, who has arrived.
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import type { Page } from "@playwright/test";

import { LONG_MS, active, media, nothingFor, plays, rests, stays } from "./probe";
import { expect, openChat, opens, press, showControls, swipe, test } from "./actions";

test("a first visit by touch gets a hint, until somebody has swiped", async ({ page }) => {
  const room = page.getByRole("main");
  await page.goto("/");
  await plays(page, "clip_0");
  await expect(room).toHaveAttribute("data-hint", "", { timeout: LONG_MS });
  await expect(room).not.toHaveAttribute("data-hint");
  await stays(page, "clip_0");
  await page.reload();
  await plays(page, "clip_0");
  await expect(room, "a second time").toHaveAttribute("data-hint", "", { timeout: LONG_MS });
  await swipe(page);
  await expect(room).not.toHaveAttribute("data-hint");
  await plays(page, "clip_1");
  await expect(page).toHaveURL(/clip_1/);
  await page.reload();
  await plays(page, "clip_1");
  await nothingFor(2_500, "a hint comes 1.2 s after the picture", () => room.getAttribute("data-hint"), null);
});

const UNHINTED: Record<string, (page: Page) => Promise<void>> = {
  "under the chat": openChat,
  "under the dialog": async (page) => {
    await press(page, "g");
    await expect(page.getByRole("dialog")).toBeVisible();
  },
  "while the controls show": async (page) => {
    await showControls(page);
    // Focus by keyboard holds them.
    await press(page, "Tab");
    await page.getByRole("button", { name: "Like" }).focus();
    await expect(page.locator(":focus-visible")).toHaveAccessibleName("Like");
  },
  "once one has swiped and come back": async (page) => {
    await swipe(page);
    await plays(page, "clip_1");
    await rests(page);
    await swipe(page, -1);
  },
};
for (const [when, makeSo] of Object.entries(UNHINTED)) {
  test(`a first visit gets no hint ${when}`, async ({ page }) => {
    let release = () => {};
    const released = new Promise<void>((resolve) => (release = resolve));
    await page.route("**/streams/clip_0/*.ts*", async (route) => {
      await released;
      await route.continue().catch(() => undefined);
    });
    await opens(page, "/");
    await page.evaluate(() => {
      const hints = { count: 0 };
      new MutationObserver(() => hints.count++).observe(document.querySelector("main")!, { attributeFilter: ["data-hint"] });
      Object.assign(window, { hints });
    });
    // So before the picture, and with it the time for the hint, comes.
    await makeSo(page);
    release();
    await plays(page, "clip_0");
    const hints = () => page.evaluate(() => (window as unknown as { hints: { count: number } }).hints.count);
    await nothingFor(2_500, "a hint comes 1.2 s after the picture", hints, 0);
    if (when === "while the controls show") await expect(page.getByRole("main")).toHaveAttribute("data-controls", "");
    await rests(page);
    await expect(active(page)).toHaveAttribute("data-channel", "clip_0");
  });
}

/** Looks from now on, at each frame, at the title on screen: for how many milliseconds it was seen, and the offer of sound on it. */
function titles(page: Page) {
  return page.evaluateHandle(() => {
    const seen = { title: 0, hint: 0, covered: [] as string[] };
    let before = performance.now();
    const look = (now: number) => {
      const past = now - before;
      before = now;
      const slate = document.querySelector("[aria-current=true] > .slate")!, hear = document.querySelector(".hear")!;
      const shown = (e: Element) => (e.checkVisibility({ visibilityProperty: true }) ? Number(getComputedStyle(e).opacity) : 0);
      if (shown(slate) > 0.9) seen.title += past;
      if (document.querySelector("main")!.hasAttribute("data-hint")) seen.hint += past;
      if (shown(slate) > 0.1 && shown(hear) > 0.1) {
        const a = hear.getBoundingClientRect();
        for (const text of slate.querySelectorAll("h2, .edge-print, .words")) {
          const range = document.createRange();
          range.selectNodeContents(text);
          for (const b of range.getClientRects())
            if (b.width > 0 && a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom) seen.covered.push(`${text.className || text.tagName} at ${Math.round(now)}`);
        }
      }
      requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
    return seen;
  });
}

test("the title of a first visit has its four seconds beside the hint", async ({ page }) => {
  const room = page.getByRole("main");
  await page.goto("/");
  const seen = await titles(page);
  await plays(page, "clip_0");
  await expect(room).toHaveAttribute("data-hint", "", { timeout: LONG_MS });
  await expect(room).not.toHaveAttribute("data-hint");
  await expect(page.locator("[aria-current=true] > .slate"), "the hint gives it back").toHaveCSS("opacity", "1");
  await expect(room).not.toHaveAttribute("data-slate", { timeout: LONG_MS });
  const { title, hint, covered } = await seen.evaluate((seen) => seen);
  expect(hint, "ms of the hint").toBeGreaterThan(1_500);
  expect(title, "ms of the title").toBeGreaterThan(3_500);
  expect(covered).toEqual([]);
});

for (const [width, height] of [[390, 844], [844, 390]] as const) {
  test(`a tap while the hint is up brings all of the controls at ${width}x${height}`, async ({ guest, serve }) => {
    const server = await serve(["clip_0", "clip_1"]);
    const page = await guest({ viewport: { width, height }, hasTouch: true, isMobile: true });
    const room = page.getByRole("main");
    await page.goto(server.url);
    await plays(page, "clip_0");
    await expect(room).toHaveAttribute("data-hint", "", { timeout: LONG_MS });
    await page.touchscreen.tap(width / 2, height * 0.4);
    // At once, and not when the hint would have ended by itself.
    for (const part of [".controls", ".top"]) await expect(page.locator(part), part).toHaveCSS("opacity", "1", { timeout: 900 });
    await expect(room).not.toHaveAttribute("data-hint");
    await rests(page);
    await expect(active(page)).toHaveAttribute("data-channel", "clip_0");
  });
}

const ENDED: Record<string, (page: Page) => Promise<unknown>> = {
  "a key": (page) => press(page, "m"),
  "a pause from outside": (page) => media(page, (video) => video.pause()),
};
for (const [what, end] of Object.entries(ENDED)) {
  test(`the hint ends by ${what}, and the strip is back at once`, async ({ page }) => {
    const room = page.getByRole("main");
    await page.goto("/");
    await plays(page, "clip_0");
    await expect(room).toHaveAttribute("data-hint", "", { timeout: LONG_MS });
    const lifted = () =>
      page.evaluate(() => {
        const top = (selector: string) => document.querySelector(selector)!.getBoundingClientRect().top;
        return Math.round(top(".feed") - top("article[aria-current]"));
      });
    await expect.poll(lifted, { intervals: [20] }).toBe(88);
    await end(page);
    await expect(room).not.toHaveAttribute("data-hint");
    await expect(room).toHaveAttribute("data-controls", "");
    // It stands there for one and a half seconds when nothing happens.
    await expect.poll(lifted, { timeout: 600, intervals: [20] }).toBe(0);
    await expect(active(page)).toHaveAttribute("data-channel", "clip_0");
  });
}

test("while a reel is waited for its title and number stay, and nothing lies on them", async ({ page }) => {
  let release = () => {};
  const released = new Promise<void>((resolve) => (release = resolve));
  await page.route("**/streams/clip_3/*.ts*", async (route) => {
    await released;
    await route.continue().catch(() => undefined);
  });
  await page.goto("/c/clip_3");
  await expect(page.locator(".leader")).toHaveAttribute("data-waits", "");
  const seen = await titles(page);
  const shown = () => seen.evaluate(({ title }) => title);
  await expect.poll(shown, { timeout: LONG_MS, message: "longer than the title of any other arrival" }).toBeGreaterThan(5_000);
  const slate = page.locator("[aria-current=true] > .slate");
  await expect(slate).toHaveCSS("opacity", "1");
  await expect(slate.getByRole("heading")).toBeVisible();
  release();
  await plays(page, "clip_3");
  await nothingFor(1_000, "something comes to lie on them", () => seen.evaluate(({ covered }) => covered), []);
});

test("a pointer that moves makes no timer each time", { tag: "@desktop" }, async ({ page }) => {
  await page.goto("/");
  await plays(page, "clip_0");
  await rests(page);
  await page.mouse.move(700, 300);
  const timers = await page.evaluateHandle(() => {
    const count = { made: 0 }, { setTimeout } = window;
    window.setTimeout = ((...all: Parameters<typeof setTimeout>) => {
      if (Number(all[1]) >= 1_000) count.made++;
      return setTimeout(...all);
    }) as typeof window.setTimeout;
    return count;
  });
  for (let n = 0; n < 80; n++) await page.mouse.move(700 + (n % 40), 300 + (n % 30));
  expect((await timers.evaluate((count) => count)).made).toBeLessThan(20);
  const room = page.getByRole("main");
  await expect(room).toHaveAttribute("data-controls", "");
  await expect(room, "and they go all the same").not.toHaveAttribute("data-controls", { timeout: LONG_MS });
});

test("a pointer needs no hint", { tag: "@desktop" }, async ({ page }) => {
  await page.goto("/");
  await plays(page, "clip_0");
  const hints = () => page.getByRole("main").getAttribute("data-hint");
  await nothingFor(2_500, "a hint comes 1.2 s after the picture", hints, null);
});

test("near its end a long reel tells what comes next, and goes there", async ({ page, serve }) => {
  const server = await serve(["long", "said_1"]);
  await page.goto(`${server.url}/c/long`);
  await plays(page, "long");
  const next = page.getByRole("button", { name: "Next: With captions 1" });
  await expect(next).toBeHidden();
  await media(page, (video) => (video.currentTime = video.duration - 5.5));
  await expect(next).toBeVisible();
  await next.focus();
  await press(page, "Enter");
  await plays(page, "said_1");
  await expect(page.locator(".up-next")).toBeHidden();
});

test("what is live has a badge; finished, it loses it", async ({ page, serve }) => {
  test.setTimeout(60_000);
  const server = await serve(["clip_0"]);
  server.add("long");
  const playlist = join(server.streams, "long", "playlist.m3u8");
  const whole = readFileSync(playlist, "utf8");
  // Eight segments of it are there so far.
  const parts = whole.split(/(?=#EXTINF)/);
  const write = (text: string) => {
    writeFileSync(`${playlist}.part`, text);
    renameSync(`${playlist}.part`, playlist);
  };
  write(parts.slice(0, 9).join("").replace("#EXT-X-ENDLIST\n", "").replace("#EXT-X-PLAYLIST-TYPE:VOD\n", ""));
  const live = async () => ((await (await fetch(`${server.url}/api/channels/long`)).json()) as { live?: boolean }).live;
  await expect.poll(live, { timeout: LONG_MS }).toBe(true);
  await page.goto(`${server.url}/c/long`);
  await plays(page, "long");
  const badge = page.getByRole("main").locator(".live-badge");
  await expect(badge).toBeVisible();
  await expect(badge).toHaveText("Live");
  await press(page, "ArrowUp");
  await plays(page, "clip_0");
  await expect(badge).toBeHidden();
  write(whole);
  await expect.poll(live, { timeout: LONG_MS }).toBe(false);
  await rests(page);
  await press(page, "ArrowDown");
  await plays(page, "long");
  await expect(badge).toBeHidden();
});

test("a bar says how many channels are new, and goes there", async ({ page, serve }) => {
  test.setTimeout(60_000);
  const server = await serve(["clip_4", "clip_6"]);
  await page.goto(`${server.url}/c/clip_4`);
  await plays(page, "clip_4");
  const bar = page.getByRole("status").filter({ hasText: "new" });
  await expect(bar).toBeHidden();
  server.add("clip_5");
  await expect(bar).toContainText("One new reel", { timeout: LONG_MS });
  server.add("clip_1");
  await expect(bar).toContainText("2 new reels", { timeout: LONG_MS });
  await expect(active(page)).toHaveAttribute("data-channel", "clip_4");
  await page.getByRole("button", { name: "See" }).tap();
  await plays(page, "clip_5");
  await expect(bar).toBeHidden();
});

test("a screen reader hears which reel has arrived", async ({ page }) => {
  await page.goto("/");
  await plays(page, "clip_0");
  const said = page.locator(".announcer");
  await expect(said).toHaveAttribute("aria-live", "polite");
  await expect(said).toBeEmpty();
  for (const [way, channel, sentence] of [[1, "clip_1", "2 of 13: Test reel 1"], [1, "clip_2", "3 of 13: Test reel 2"], [-1, "clip_1", "2 of 13: Test reel 1"]] as const) {
    await swipe(page, way);
    await plays(page, channel);
    await expect(said).toHaveText(sentence);
    await rests(page);
  }
});
