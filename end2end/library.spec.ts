// The player's library: one that does not come at first, and one that throws, in any method and at any moment.
import type { Page } from "@playwright/test";

import { active, media, plays, rests } from "./probe";
import { expect, hastens, press, showControls, test } from "./actions";

const LIBRARY = /\/vendor\/hls\/hls\.light[^/]*\.mjs/;

for (const fault of ["answered with 503", "aborted"] as const) {
  test(`a library that is ${fault} at its address is asked for at another`, async ({ page, expects }) => {
    expects(/Failed to load resource|Failed to load module script|net::ERR/);
    const asked: string[] = [];
    await page.route(LIBRARY, (route) => {
      asked.push(new URL(route.request().url()).search);
      if (asked.at(-1) !== "") return route.continue();
      return fault === "aborted" ? route.abort() : route.fulfill({ status: 503 });
    });
    await page.goto("/c/clip_1");
    await plays(page, "clip_1");
    expect(asked.some((query) => query !== ""), asked.join(" ")).toBe(true);
    await press(page, "ArrowDown");
    await plays(page, "clip_2");
  });
}

test("a library that never comes is said on the reel, and a retry brings it", async ({ page, expects }) => {
  test.setTimeout(60_000);
  expects(/Failed to load resource|Failed to load module script|net::ERR/);
  await page.route(LIBRARY, (route) => route.abort());
  await page.goto("/c/clip_1");
  await expect(page.getByRole("alert")).toBeVisible({ timeout: 20_000 });
  await page.unroute(LIBRARY);
  await page.getByRole("alert").getByRole("button", { name: "Retry" }).tap();
  await plays(page, "clip_1");
});

for (const [build, at, channels, first, reel] of [
  ["light", LIBRARY, ["clip_1", "clip_2"], "clip_1", "clip_1"],
  ["whole", /\/vendor\/hls\/hls\.min\.mjs/, ["clip_1", "sound_apart"], "clip_1", "sound_apart"],
] as const) {
  test(`a ${build} library that is never answered is asked for at another address`, async ({ page, serve, expects }) => {
    test.setTimeout(90_000);
    expects(/Failed to load resource|net::ERR/);
    const asked: string[] = [];
    const hasten = await hastens(page, 1_000);
    await page.route(at, (route) => {
      asked.push(new URL(route.request().url()).search);
      return asked.at(-1) === "" ? undefined : route.continue();
    });
    const server = await serve([...channels]);
    await page.goto(`${server.url}/c/${first}`, { waitUntil: "commit" });
    if (reel !== first) {
      await plays(page, first);
      await press(page, "ArrowDown");
    }
    const told = active(page).getByRole("alert");
    const moves = () => page.evaluate((reel) => window.probe.moves === reel, reel);
    await hasten(true);
    // What is tried again by itself may bring it before anybody presses.
    await expect.poll(async () => (await told.isVisible()) || (await moves()), { timeout: 40_000 }).toBe(true);
    await hasten(false);
    if (!(await moves())) await told.getByRole("button", { name: "Retry" }).click();
    await plays(page, reel);
    expect(asked.some((query) => query !== ""), asked.join(" ")).toBe(true);
  });
}

declare global {
  interface Window {
    /** The method that throws the next time it is called, how often any has thrown, and every instance. */
    faulty: { next: string | null; thrown: number; all: { trigger: (event: string, data: object) => void }[] };
  }
}

/** Lets one method of the library throw, once, whenever a test arms it. */
async function brittle(page: Page, first: string | null): Promise<void> {
  await page.addInitScript((first) => (window.faulty = { next: first, thrown: 0, all: [] }), first);
  await page.route(LIBRARY, async (route) => {
    if (new URL(route.request().url()).search.includes("plain")) return route.continue();
    await route.fulfill({
      contentType: "text/javascript",
      body: `
        import Plain from "/vendor/hls/hls.light.min.mjs?plain";
        const fails = (name) => {
          if (window.faulty.next !== name) return;
          window.faulty.next = null;
          window.faulty.thrown++;
          throw new DOMException("thrown by a test", "NotFoundError");
        };
        export default class Hls extends Plain {
          static isSupported() { fails("isSupported"); return Plain.isSupported(); }
          constructor(...settings) { fails("constructor"); super(...settings); window.faulty.all.push(this); }
          get levels() { fails("levels"); return super.levels; }
          get bandwidthEstimate() { fails("bandwidthEstimate"); return super.bandwidthEstimate; }
          set nextLevel(level) { fails("nextLevel"); super.nextLevel = level; }
          set loadLevel(level) { fails("loadLevel"); super.loadLevel = level; }
        }
        for (const name of ["loadSource", "attachMedia", "on", "off", "startLoad", "stopLoad", "recoverMediaError", "destroy", "trigger"]) {
          const plain = Plain.prototype[name];
          Hls.prototype[name] = function (...values) { fails(name); return plain.apply(this, values); };
        }`,
    });
  });
}

const METHODS = [
  "isSupported", "constructor", "loadSource", "attachMedia", "on", "off", "startLoad", "stopLoad", "recoverMediaError", "destroy",
  "levels", "bandwidthEstimate", "loadLevel",
];

/** The reel plays, or says why it does not. */
async function playsOrSays(page: Page, channel: string): Promise<void> {
  await expect(active(page)).toHaveAttribute("data-channel", channel);
  await expect
    .poll(
      async () =>
        (await page.getByRole("alert").isVisible()) ||
        (await media(page, (video) => !video.paused && video.currentTime > 0.3).catch(() => false)),
      { timeout: 20_000, intervals: [50], message: `${channel} plays or says why` },
    )
    .toBe(true);
}

for (const method of METHODS) {
  test(`a throw of the library's ${method} is survived at any moment`, async ({ page, expects }) => {
    test.setTimeout(120_000);
    // What throws within the library's own calls is the library's to tell.
    expects(/thrown by a test/);
    const hasten = await hastens(page, 1_000);
    await brittle(page, method);
    await page.goto("/c/clip_1");
    await playsOrSays(page, "clip_1");
    await page.evaluate(() => (window.faulty.next = null));
    await press(page, "ArrowDown");
    await plays(page, "clip_2");
    // While it plays and its neighbour is prepared, at the change, and on the way back.
    for (const [key, next, after] of [
      ["ArrowDown", "clip_3", "clip_4"],
      ["ArrowUp", "clip_3", "clip_2"],
    ] as const) {
      await rests(page);
      await page.evaluate((method) => (window.faulty.next = method), method);
      await press(page, key);
      await playsOrSays(page, next);
      await page.evaluate(() => (window.faulty.next = null));
      await press(page, key);
      await plays(page, after);
    }
    // When it is to repair something. What fails is given up, and tried again, after a pause.
    await hasten(true);
    await page.evaluate((method) => {
      window.faulty.next = method;
      for (const hls of window.faulty.all) {
        hls.trigger("hlsError", { type: "mediaError", details: "bufferAppendError", fatal: true, error: new Error("by a test") });
      }
    }, method).catch(() => undefined);
    await playsOrSays(page, "clip_2");
    await page.evaluate(() => (window.faulty.next = null));
    await press(page, "ArrowDown");
    await plays(page, "clip_3");
    expect(await page.evaluate(() => window.faulty.thrown), "times it threw").toBeGreaterThan(0);
  });
}

test("a throw of the library's nextLevel, where a quality is chosen, is survived", async ({ page, serve, expects }) => {
  expects(/thrown by a test/);
  const server = await serve(["ladder_1", "ladder_2"]);
  await brittle(page, null);
  await page.goto(server.url);
  await plays(page, "ladder_1");
  await showControls(page);
  await page.getByRole("button", { name: "Playback" }).tap();
  await page.evaluate(() => (window.faulty.next = "nextLevel"));
  await page.getByRole("radio", { name: /^360p/ }).check();
  await expect.poll(() => page.evaluate(() => window.faulty.thrown), { message: "times it threw" }).toBe(1);
  await playsOrSays(page, "ladder_1");
  await press(page, "Escape");
  await press(page, "ArrowDown");
  await plays(page, "ladder_2");
});
