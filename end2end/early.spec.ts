// Before the page's WASM is there: the first reel plays, and what the WASM takes over goes on as if nothing had happened.
import { execFileSync } from "node:child_process";
import { mkdtempSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Page } from "@playwright/test";

import { LONG_MS, active, media, moves, nothingFor, plays, playsOn, rests } from "./probe";
import { MADE } from "./server";
import { expect, press, swipe, test } from "./actions";

const SITE = join(dirname(fileURLToPath(import.meta.url)), "..", "target", "site");

/** Holds the WASM back; the answer lets it come. */
async function heldBack(page: Page): Promise<() => Promise<void>> {
  let release = () => {};
  const released = new Promise<void>((resolve) => (release = resolve));
  await page.route("**/*.wasm", async (route) => {
    await released;
    await route.continue();
  });
  return async () => {
    release();
    await page.locator("[data-hydrated]").waitFor({ state: "attached", timeout: LONG_MS });
  };
}

type Seen = { video: HTMLVideoElement; events: string[]; at: number };
declare global {
  interface Window {
    seen: Seen;
    waits: number;
  }
}

/** From now on everything that stops or empties the media element is written down. */
const watch = (page: Page) =>
  page.evaluate(() => {
    const video = document.querySelector("video")!;
    window.seen = { video, events: [], at: video.currentTime };
    for (const event of ["pause", "emptied", "loadstart", "abort", "error"]) {
      video.addEventListener(event, () => window.seen.events.push(event));
    }
  });

/** What was written down, whether it is the same element still, and whether it has played on. */
const seen = (page: Page) =>
  page.evaluate(() => ({
    events: window.seen.events,
    same: document.querySelector("video") === window.seen.video,
    went: window.seen.video.currentTime !== window.seen.at,
  }));

const UNTOUCHED = { events: [], same: true, went: true };

test("the first reel plays before the WASM is there, and goes on untouched when it comes", { tag: "@both" }, async ({ page }) => {
  const comes = await heldBack(page);
  await page.goto("/");
  await moves(page, "clip_0");
  expect(await media(page, (video) => video.muted)).toBe(true);
  await expect(page.locator("[data-hydrated]")).toHaveCount(0);
  await watch(page);
  await comes();
  await expect.poll(() => page.evaluate(() => window.seen.video.currentTime > window.seen.at + 0.5), { timeout: LONG_MS }).toBe(true);
  expect(await seen(page)).toEqual(UNTOUCHED);
  await expect(page.locator(".leader")).toBeHidden();
  // It is the page's own now: it is paused, gets its sound, is left and come back to.
  await press(page, " ");
  await expect.poll(() => media(page, (video) => video.paused)).toBe(true);
  await press(page, " ");
  await expect.poll(() => media(page, (video) => video.paused)).toBe(false);
  await press(page, "m");
  await expect.poll(() => media(page, (video) => video.muted)).toBe(false);
  await press(page, "ArrowDown");
  await plays(page, "clip_1");
  await rests(page);
  await press(page, "ArrowUp");
  await plays(page, "clip_0");
  expect(await page.evaluate(() => window.probe.most)).toBe(1);
});

for (const held of [true, false]) {
  test(`a reel that is opened never says that it waits, with the WASM ${held ? "late" : "at once"}`, async ({ page }) => {
    await page.addInitScript(() => {
      window.waits = 0;
      document.addEventListener("waiting", () => window.waits++, true);
    });
    const comes = held ? await heldBack(page) : undefined;
    await page.goto("/c/clip_2");
    await moves(page, "clip_2");
    await comes?.();
    expect(await page.evaluate(() => window.waits)).toBe(0);
  });
}

test("with WASM that never comes the first reel plays all the same", async ({ page, expects }) => {
  expects(/wasm|ERR_FAILED|Failed to fetch/i);
  await page.route("**/*.wasm", (route) => route.abort());
  await page.goto("/c/clip_3");
  await moves(page, "clip_3");
});

test("without the module the page plays by itself", async ({ page, expects }) => {
  expects(/ERR_FAILED/);
  await page.route("**/early.mjs*", (route) => route.abort());
  await page.goto("/");
  await plays(page, "clip_0");
});

test("a module that comes late plays once, and so does a reload with everything at hand", async ({ page }) => {
  const wasm = page.waitForResponse("**/*.wasm", { timeout: LONG_MS });
  await page.route("**/early.mjs*", async (route) => {
    // Later than the WASM, which waits for it.
    await (await wasm).finished();
    await route.continue();
  });
  for (let n = 0; n < 3; n++) {
    await page.goto("/c/clip_4");
    await playsOn(page, "clip_4");
    expect(await page.evaluate(() => window.probe.most)).toBe(1);
    await page.unroute("**/early.mjs*");
  }
});

for (const channel of ["wide", "sound_apart", "captions_apart", "ladder_3", "long"]) {
  test(`${channel} as the first reel is taken over untouched`, async ({ page, serve }) => {
    const server = await serve([channel, "clip_1"]);
    const comes = await heldBack(page);
    await page.goto(`${server.url}/c/${channel}`);
    await moves(page, channel);
    await watch(page);
    await comes();
    await expect.poll(() => page.evaluate(() => window.seen.video.currentTime > window.seen.at + 0.3), { timeout: LONG_MS }).toBe(true);
    expect(await seen(page)).toEqual(UNTOUCHED);
  });
}

test("music plays before the WASM is there", async ({ page }) => {
  const comes = await heldBack(page);
  await page.goto("/c/tone");
  const runs = () => media(page, (video) => !video.paused && video.currentTime > 0);
  await expect.poll(() => page.locator("video").count(), { timeout: LONG_MS }).toBe(1);
  await expect.poll(runs, { timeout: LONG_MS }).toBe(true);
  await watch(page);
  await comes();
  await expect(page.locator(".leader")).toBeHidden();
  const disturbed = async () => (await seen(page)).events.filter((event) => event !== "pause");
  await nothingFor(500, "the element is loaded anew", disturbed, []);
  expect(await runs()).toBe(true);
});

test("a long reel goes on where it was left, before the WASM is there", async ({ page, serve }) => {
  const server = await serve(["long", "clip_1"]);
  await page.addInitScript(() => localStorage.setItem("carrete.places", "other\t5\nlong\t24"));
  const comes = await heldBack(page);
  await page.goto(`${server.url}/c/long`);
  await moves(page, "long");
  const at = () => media(page, (video) => video.currentTime);
  expect(await at()).toBeGreaterThanOrEqual(24);
  expect(await at()).toBeLessThan(40);
  await comes();
  await plays(page, "long");
  expect(await at()).toBeGreaterThanOrEqual(24);
});

test("who has scrolled on before the WASM is there finds the reel that is on screen", async ({ page }) => {
  const comes = await heldBack(page);
  await page.goto("/");
  await moves(page, "clip_0");
  const scrolled = await page.getByRole("feed").evaluate((feed) => {
    const articles = feed.querySelectorAll("article");
    articles[2]!.scrollIntoView({ behavior: "instant" });
    return articles[2]!.dataset.channel;
  });
  expect(scrolled).toBe("clip_2");
  await comes();
  await plays(page, "clip_2");
  await expect(active(page)).toHaveAttribute("aria-posinset", "3");
  expect(await page.evaluate(() => window.probe.most)).toBe(1);
  await rests(page);
  for (const [way, channel] of [[-1, "clip_1"], [-1, "clip_0"], [1, "clip_1"]] as const) {
    await swipe(page, way);
    await plays(page, channel);
    await rests(page);
  }
});

test("a bare file plays before the WASM is there", async ({ page, serve }) => {
  const file = join(mkdtempSync(join(tmpdir(), "carrete-bare-")), "film.mp4");
  execFileSync("ffmpeg", ["-v", "error", "-i", join(MADE, "clip_0", "playlist.m3u8"), "-c", "copy", "-movflags", "+faststart", file]);
  const server = await serve(["clip_1"]);
  server.add("film.mp4", file);
  await expect.poll(async () => (await page.request.get(`${server.url}/api/channels`)).text(), { timeout: LONG_MS }).toContain("film");
  const comes = await heldBack(page);
  await page.goto(`${server.url}/c/film`);
  await moves(page, "film");
  await watch(page);
  await comes();
  await expect.poll(() => page.evaluate(() => window.seen.video.currentTime > window.seen.at + 0.3), { timeout: LONG_MS }).toBe(true);
  expect(await seen(page)).toEqual(UNTOUCHED);
});

test("a browser without Media Source Extensions plays by itself", async ({ page }) => {
  await page.addInitScript(() => {
    for (const name of ["MediaSource", "ManagedMediaSource", "WebKitMediaSource"]) Reflect.deleteProperty(window, name);
  });
  const comes = await heldBack(page);
  await page.goto("/");
  await moves(page, "clip_0");
  await watch(page);
  await comes();
  await expect.poll(() => page.evaluate(() => window.seen.video.currentTime > window.seen.at + 0.3), { timeout: LONG_MS }).toBe(true);
  expect(await seen(page)).toEqual(UNTOUCHED);
});

test("what goes wrong before the WASM is there is said by the page", async ({ page, expects }) => {
  expects(/status of 404/);
  await page.route("**/streams/clip_0/playlist.m3u8*", (route) => route.fulfill({ status: 404 }));
  const comes = await heldBack(page);
  await page.goto("/");
  await expect.poll(() => page.evaluate(() => performance.getEntriesByType("resource").some(({ name }) => /m3u8/.test(name)))).toBe(true);
  await comes();
  await expect(page.getByRole("alert")).toBeVisible({ timeout: 20_000 });
  await page.unroute("**/streams/clip_0/playlist.m3u8*");
  await page.getByRole("button", { name: "Retry" }).click();
  await plays(page, "clip_0");
});

test("a library that did not come is asked for by the page", async ({ page, expects }) => {
  expects(/ERR_FAILED|Failed to fetch/);
  let refused = 0;
  await page.route("**/hls.light.min.mjs*", (route) => (refused++ ? route.continue() : route.abort()));
  await page.goto("/");
  const retry = page.getByRole("button", { name: "Retry" });
  await expect.poll(async () => (await retry.isVisible()) || (await page.evaluate(() => window.probe.moves)), { timeout: LONG_MS }).toBeTruthy();
  // What is tried again by itself may bring it before anybody presses.
  if (await retry.isVisible()) await retry.click();
  await plays(page, "clip_0");
  expect(refused, "it did not come at first, and was asked for again").toBeGreaterThan(1);
});

test("a refusal before the WASM is there is asked about once", async ({ page }) => {
  await page.addInitScript(() => {
    window.askedToPlay = 0;
    HTMLMediaElement.prototype.play = function () {
      window.askedToPlay++;
      return Promise.reject(new DOMException("no", "NotAllowedError"));
    };
  });
  const comes = await heldBack(page);
  await page.goto("/");
  await expect.poll(() => page.evaluate(() => window.askedToPlay), { timeout: LONG_MS }).toBe(1);
  await nothingFor(1_000, "it is asked for again", () => page.evaluate(() => window.askedToPlay), 1);
  await comes();
  await nothingFor(1_000, "it is asked for again and again", () => page.evaluate(() => window.askedToPlay < 6), true);
});

declare global {
  interface Window {
    askedToPlay: number;
    told: string[];
  }
}

test("the pulse hears when the picture moved, not when the WASM came", async ({ page }) => {
  await page.addInitScript(() => {
    window.told = [];
    navigator.sendBeacon = (_, body) => Boolean(window.told.push(String(body)));
  });
  const comes = await heldBack(page);
  await page.goto("/");
  await moves(page, "clip_0");
  // The WASM comes so much later than the picture that the two can be told apart.
  await nothingFor(1_000, "the page is hydrated", () => page.locator("[data-hydrated]").count(), 0);
  const late = await page.evaluate(() => performance.now());
  await comes();
  const cold = async () => {
    await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
    return page.evaluate(() => window.told.map((body) => JSON.parse(body).cold_ms).find((ms) => ms !== null) ?? null);
  };
  await expect.poll(cold, { timeout: LONG_MS }).not.toBeNull();
  expect(await cold()).toBeLessThan(late - 900);
});

test("a first visit has its style in the page, a later one from a file that is there", async ({ guest, baseURL }) => {
  const page = await guest();
  const asked: string[] = [];
  page.on("request", (request) => /\/pkg\/.*\.css$/.test(request.url()) && asked.push(request.url()));
  const html = async () => (await (await page.goto("/"))!.text());
  const first = await html();
  expect(first).toContain("<style>");
  expect(first).not.toMatch(/<link rel="stylesheet"/);
  await plays(page, "clip_0");
  const look = () =>
    page.evaluate(() =>
      ["main", "[role=feed]", ".controls"].map((selector) => {
        const { position, overflow } = getComputedStyle(document.querySelector(selector)!);
        return `${position} ${overflow}`;
      }),
    );
  const before = await look();
  expect(before).toEqual(["relative clip", "absolute clip", "absolute visible"]);
  const kept = async () => (await page.context().cookies(baseURL)).find(({ name }) => name === "style")?.value;
  await expect.poll(kept, { timeout: LONG_MS }).toBeTruthy();
  expect(asked).toHaveLength(1);
  const second = await html();
  expect(second).not.toContain("<style>");
  expect(second).toContain(`href="${new URL(asked[0]!).pathname}"`);
  await plays(page, "clip_0");
  expect(await look(), "it looks as it did").toEqual(before);
});

test("the module weighs two kilobytes at most", () => {
  for (const kind of ["br", "gz"]) {
    expect(statSync(join(SITE, `early.mjs.${kind}`)).size).toBeLessThanOrEqual(2_000);
  }
});
