// A browser that starts nothing unless the page is touched, and what something outside the page pauses: the reel stands, nothing
// loops, and a large button says so.
import { execFileSync } from "node:child_process";
import { join } from "node:path";

import type { Page } from "@playwright/test";

import { LONG_MS, active, media, nothingFor, plays, playsOn, rests } from "./probe";
import { expect, opens, press, showControls, swipe, test } from "./actions";

declare global {
  interface Window {
    /** Calls of `play()`, those of elements in no document, and what refuses them. */
    asked: { calls: number; beside: number; allowed: boolean };
  }
}

/** Refuses `play()` until a finger or a key is down, as browsers do that save power. */
async function refuse(page: Page, how: "later" | "at once" | "by throwing"): Promise<void> {
  await page.addInitScript((how) => {
    const asked: Window["asked"] = (window.asked = { calls: 0, beside: 0, allowed: false });
    for (const event of ["pointerdown", "keydown"]) addEventListener(event, () => (asked.allowed = true), true);
    const play = HTMLMediaElement.prototype.play;
    HTMLMediaElement.prototype.play = function () {
      asked.calls++;
      asked.beside += Number(!this.isConnected);
      if (asked.allowed) return play.call(this);
      const error = new DOMException("not allowed", "NotAllowedError");
      if (how === "by throwing") throw error;
      // Were it asked without end, nothing else would ever run.
      if (asked.calls > 5_000) return new Promise(() => {});
      return how === "at once" ? Promise.reject(error) : new Promise((_, no) => setTimeout(() => no(error), 5));
    };
  }, how);
}

/** The large button of the reel on screen. */
const big = (page: Page) => active(page).getByRole("button", { name: "Play", exact: true });

async function prompted(page: Page): Promise<void> {
  await expect(big(page)).toBeVisible();
  const box = (await big(page).boundingBox())!;
  expect(Math.min(box.width, box.height)).toBeGreaterThanOrEqual(48);
  expect(
    await page.evaluate(() => {
      const named = [...document.querySelectorAll("button")].find((button) => button.getAttribute("aria-label") === "Play");
      return named?.closest("article")?.getAttribute("aria-current");
    }),
    "it is the first of its name",
  ).toBe("true");
}

for (const how of ["later", "at once", "by throwing"] as const) {
  test(`play() that is refused ${how}, without sound too, is asked for no more, and a tap on the picture plays`, async ({ page }) => {
    await refuse(page, how);
    await page.goto("/c/clip_1");
    await prompted(page);
    const calls = () => page.evaluate(() => window.asked.calls);
    const before = await calls();
    await nothingFor(1_500, "it is asked again", calls, before);
    expect(before).toBeLessThan(6);
    await expect(page.getByRole("alert")).toBeHidden();
    const { width, height } = page.viewportSize()!;
    await page.touchscreen.tap(width / 4, height / 4);
    await plays(page, "clip_1");
    await expect(big(page)).toBeHidden();
    // The tap was for playing: it does not pause as well.
    await playsOn(page, "clip_1");
    await swipe(page);
    await plays(page, "clip_2");
  });
}

test("a browser that presents two frames of what it refuses to play is asked for no neighbour either", async ({ page }) => {
  await page.addInitScript(() => {
    let mediaTime = 0;
    HTMLVideoElement.prototype.requestVideoFrameCallback = function (callback) {
      const frame = () => (this.readyState > 1 ? callback(performance.now(), { mediaTime: (mediaTime += 0.04) } as VideoFrameCallbackMetadata) : setTimeout(frame, 20));
      return Number(setTimeout(frame, 20));
    };
  });
  await refuse(page, "later");
  await page.goto("/c/clip_1");
  await prompted(page);
  await nothingFor(2_500, "a neighbour is asked", () => page.evaluate(() => window.asked.beside), 0);
  await page.touchscreen.tap(100, 200);
  await expect.poll(() => media(page, (video) => !video.paused && video.currentTime > 0.3)).toBe(true);
  await press(page, "ArrowDown");
  await expect.poll(() => media(page, (video) => !video.paused && video.currentTime > 0.3), { timeout: 12_000 }).toBe(true);
  await expect(active(page)).toHaveAttribute("data-channel", "clip_2");
});

for (const [width, height] of [[844, 390], [320, 256]] as const) {
  test(`why it stands is seen at ${width}x${height}`, async ({ page }) => {
    await page.setViewportSize({ width, height });
    await refuse(page, "at once");
    await page.goto("/c/clip_1");
    await prompted(page);
    await expect(active(page).locator("p.standing")).toBeVisible();
  });
}

for (const [width, height] of [[844, 390], [667, 375]] as const) {
  test(`what a call has paused keeps its title at ${width}x${height}, and says why below it`, async ({ guest, serve }) => {
    const server = await serve([]);
    server.link("cala", "clip_1", 'title = "La cala, última hora"\n');
    server.link("larga", "clip_2", `title = "${"La cala, última hora ".repeat(8).trim()}"\n`);
    await expect.poll(async () => (await (await fetch(`${server.url}/api/channels`)).json()).length, { timeout: 20_000 }).toBe(2);
    const page = await guest({ viewport: { width, height }, hasTouch: true, isMobile: true, locale: "es-ES" });
    await page.goto(`${server.url}/c/cala`);
    for (const channel of ["cala", "larga"]) {
      await plays(page, channel);
      await rests(page);
      await media(page, (video) => video.pause());
      await expect(active(page).locator(".play-overlay")).toBeVisible();
      const seen = await active(page).evaluate((reel) => {
        const box = (selector: string) => reel.querySelector(selector)!.getBoundingClientRect();
        const [print, title, why, run] = [box(".slate .edge-print"), box("h2"), box("p.standing"), document.querySelector(".run")!.getBoundingClientRect()];
        const h2 = reel.querySelector("h2")!;
        return {
          cut: h2.scrollHeight > h2.clientHeight + 1,
          beside: title.left - print.right,
          print: print.height,
          below: why.top - title.bottom,
          free: run.top - why.bottom,
        };
      });
      const said = `${channel}: ${JSON.stringify(seen)}`;
      expect(seen.cut, said).toBe(channel === "larga");
      expect(seen.beside, said).toBeGreaterThan(8);
      expect(seen.print, `${said}, one line`).toBeLessThan(24);
      expect(seen.below, said).toBeGreaterThan(-4);
      expect(seen.free, said).toBeGreaterThan(-2);
      await press(page, "ArrowDown");
    }
  });
}

test("why it stands is seen where the refusal comes after the slate has gone", async ({ page }) => {
  await refuse(page, "at once");
  let release = () => {};
  const released = new Promise<void>((resolve) => (release = resolve));
  await page.route("**/clip_1/*.ts*", async (route) => {
    await released;
    await route.continue().catch(() => {});
  });
  await opens(page, "/c/clip_1");
  await expect(page.getByRole("main")).not.toHaveAttribute("data-slate", { timeout: LONG_MS });
  release();
  await expect(big(page)).toBeVisible({ timeout: 15_000 });
  await expect(active(page).locator(".slate")).toHaveCSS("opacity", "1");
});

/** Phones load nothing of a file before it is asked to play. */
async function loadNothingAhead(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const { set } = Object.getOwnPropertyDescriptor(HTMLMediaElement.prototype, "preload")!;
    Object.defineProperty(HTMLMediaElement.prototype, "preload", { set() { set!.call(this, "none"); } });
    const { setAttribute } = Element.prototype;
    Element.prototype.setAttribute = function (name, value) {
      setAttribute.call(this, name, name === "preload" ? "none" : value);
    };
  });
}

test("files that the browser loads only when they are asked to play do play, and say so where that is refused", async ({ page, serve }) => {
  const server = await serve(["brief"]);
  for (const name of ["a", "b", "c"]) {
    execFileSync("ffmpeg", [
      "-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", "testsrc2=s=180x320:r=24:d=6", "-c:v", "libx264", "-preset", "ultrafast",
      "-pix_fmt", "yuv420p", "-movflags", "+faststart", join(server.streams, `${name}.mp4`),
    ]);
  }
  const ids = async () => ((await (await fetch(`${server.url}/api/channels`)).json()) as string[]).length;
  await expect.poll(ids, { timeout: 15_000 }).toBe(4);
  await loadNothingAhead(page);
  await page.goto(`${server.url}/c/a`);
  await plays(page, "a");
  for (const next of ["b", "brief", "c"].sort()) {
    await swipe(page);
    await plays(page, next);
  }
  await refuse(page, "at once");
  await page.goto(`${server.url}/c/b`);
  await prompted(page);
  await page.touchscreen.tap(100, 200);
  await plays(page, "b");
});

for (const key of ["Space", "Enter"]) {
  test(`${key} plays what the browser does not start by itself`, async ({ page }) => {
    await refuse(page, "at once");
    await page.goto("/c/clip_1");
    await prompted(page);
    await page.keyboard.press(key);
    await plays(page, "clip_1");
    await expect(big(page)).toBeHidden();
  });
}

test("the large button is pressed by mouse, and a swipe that begins on it goes on @both", async ({ page, isMobile }) => {
  await refuse(page, "at once");
  await page.goto("/c/clip_1");
  await prompted(page);
  if (isMobile) {
    await swipe(page);
    await plays(page, "clip_2");
    return;
  }
  await big(page).click();
  await playsOn(page, "clip_1");
});

test("a pause from outside is told by the large button and by every control, and one touch plays on", async ({ page }) => {
  await page.goto("/c/clip_1");
  await plays(page, "clip_1");
  await media(page, (video) => video.pause());
  await prompted(page);
  await expect(active(page).getByText("paused", { exact: true })).toBeVisible();
  await expect(page.getByRole("main")).toHaveAttribute("data-controls", "");
  await expect(page.locator(".run .play")).toHaveAttribute("aria-label", "Play");
  const stands = async () => [await page.getByRole("main").getAttribute("data-controls"), await media(page, (video) => video.paused)];
  await nothingFor(3_500, "the controls go after three seconds, or it resumes by itself", stands, ["", true]);
  await page.locator(".run .play").tap();
  await plays(page, "clip_1");
  await expect(big(page)).toBeHidden();
  // Something outside plays what a person has paused: the button follows.
  await page.keyboard.press("Space");
  await expect(page.locator(".run .play")).toHaveAttribute("aria-label", "Play");
  await expect(big(page), "a person asked for this one").toBeHidden();
  await media(page, (video) => void video.play());
  await expect(page.locator(".run .play")).toHaveAttribute("aria-label", "Pause");
});

test("a pause by a key of the device is one from outside, and the reel that comes next plays", async ({ page }) => {
  await page.addInitScript(() => {
    const handlers: Record<string, () => void> = {};
    navigator.mediaSession.setActionHandler = (name, handler) => void (handlers[name] = handler as () => void);
    Object.assign(window, { handlers });
  });
  await page.goto("/c/clip_1");
  await plays(page, "clip_1");
  await page.evaluate(() => (window as unknown as { handlers: Record<string, () => void> }).handlers["pause"]!());
  await prompted(page);
  await swipe(page);
  await plays(page, "clip_2");
  await rests(page);
  await expect(page.getByRole("button", { name: "Play", exact: true })).toHaveCount(0);
  await showControls(page);
});
