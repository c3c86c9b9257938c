// Bytes that come slowly, and pictures that a browser does not count: patience is for silence.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Page } from "@playwright/test";

import { LONG_MS, active, media, nothingFor, plays } from "./probe";
import { devtools, expect, HASTE, hastens, opens, swipe, test } from "./actions";

test("a file whose index lies at its end, on a slow network, is waited for as long as bytes come", async ({ page, serve }) => {
  test.setTimeout(90_000);
  const folder = mkdtempSync(join(tmpdir(), "carrete-slow-"));
  const file = join(folder, "heavy.mp4");
  // No `faststart`: the index is the last thing that comes. About 900 kB in three seconds.
  execFileSync("ffmpeg", [
    "-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", "testsrc2=s=360x640:r=24,noise=alls=40:allf=t", "-t", "3",
    "-c:v", "libx264", "-preset", "ultrafast", "-b:v", "2400k", "-maxrate", "2400k", "-bufsize", "2400k", "-pix_fmt", "yuv420p", file,
  ]);
  const server = await serve(["clip_0", "clip_1", "clip_2", "clip_3"]);
  server.add("heavy.mp4", file);
  rmSync(folder, { recursive: true });
  await expect.poll(async () => (await fetch(`${server.url}/api/channels/heavy`)).status, { timeout: LONG_MS }).toBe(200);
  // The page itself comes quickly, and warms others.
  await page.goto(server.url);
  await plays(page, "clip_0");
  const session = await devtools(page);
  await session.send("Network.enable");
  await session.send("Network.emulateNetworkConditions", {
    offline: false, latency: 50, downloadThroughput: 40_000, uploadThroughput: 40_000,
  });
  const began = Date.now();
  await page.goto(`${server.url}/c/heavy`, { waitUntil: "commit" });
  const alert = page.getByRole("alert");
  const state = async () => {
    if (await alert.isVisible()) return `given up after ${Date.now() - began} ms`;
    return (await media(page, (video) => video.currentTime > 0.2).catch(() => false)) ? "moves" : "waits";
  };
  await expect.poll(state, { timeout: 60_000, intervals: [100] }).not.toBe("waits");
  expect(await state()).toBe("moves");
  expect(Date.now() - began, "it took longer than patience lasts").toBeGreaterThan(8_000);
});

for (const [how, stub] of [
  ["knows no frame callback", "undefined"],
  ["never calls its frame callback", "() => 1"],
] as const) {
  test(`where a browser ${how}, a film that plays counts as moving`, async ({ page, expects }) => {
    // The probe asks for it too.
    expects(/requestVideoFrameCallback/);
    const hasten = await hastens(page, 1_000);
    await page.addInitScript(`Object.defineProperty(HTMLVideoElement.prototype, "requestVideoFrameCallback", { value: ${stub} })`);
    await opens(page, "/c/clip_1");
    await expect.poll(() => media(page, (video) => video.currentTime), { timeout: LONG_MS }).toBeGreaterThan(1);
    const leader = page.locator(".leader");
    await expect(leader).not.toHaveAttribute("data-waits");
    await swipe(page);
    await expect(active(page)).toHaveAttribute("data-channel", "clip_2");
    await expect.poll(() => media(page, (video) => video.currentTime), { timeout: LONG_MS }).toBeGreaterThan(1);
    await expect(leader).not.toHaveAttribute("data-waits");
    await hasten(true);
    await nothingFor(12_000 / HASTE, "it is given up", () => page.getByRole("alert").isVisible(), false);
  });
}

test("a seek into what is not loaded shows that one waits, and a loop does not", async ({ page, serve }) => {
  test.setTimeout(60_000);
  const server = await serve(["long", "said_1"]);
  let release = () => {};
  const released = new Promise<void>((resolve) => (release = resolve));
  await page.route(/\/streams\/long\/playlist3\d\.ts/, async (route) => {
    await released;
    await route.continue().catch(() => undefined);
  });
  await page.goto(`${server.url}/c/long`);
  await plays(page, "long");
  const leader = page.locator(".leader");
  await media(page, (video) => (video.currentTime = 70));
  await expect(leader).toHaveAttribute("data-waits", "");
  release();
  await expect(leader).not.toHaveAttribute("data-waits", { timeout: LONG_MS });
  await expect.poll(() => media(page, (video) => video.currentTime), { timeout: LONG_MS }).toBeGreaterThan(70.3);
});

/** A library that finds no media source. */
const unsupported = (page: Page) =>
  page.route("**/vendor/hls/hls.light*.mjs*", (route) =>
    route.fulfill({ contentType: "text/javascript", body: "export default class Hls { static isSupported() { return false; } }" }),
  );

test("a browser without media sources plays playlists by itself", async ({ page, serve }) => {
  test.setTimeout(60_000);
  const server = await serve(["clip_0", "clip_1", "long"]);
  // What an iPhone of some years does: no media source, and a playlist is a source of its own.
  await unsupported(page);
  await page.addInitScript(() => localStorage.setItem("carrete.places", "long\t40"));
  await page.goto(server.url);
  await plays(page, "clip_0");
  await swipe(page);
  await plays(page, "clip_1");
  // It goes on where it was left.
  await page.goto(`${server.url}/c/long`);
  await plays(page, "long");
  expect(await media(page, (video) => video.currentTime)).toBeGreaterThan(38);
});

test("a browser that knows neither media sources nor playlists says so", async ({ page }) => {
  await unsupported(page);
  await page.addInitScript(() => {
    const { canPlayType } = HTMLMediaElement.prototype;
    HTMLMediaElement.prototype.canPlayType = function (type) {
      return /mpegurl/i.test(type) ? "" : canPlayType.call(this, type);
    };
  });
  await page.goto("/c/clip_1");
  await expect(active(page).getByRole("alert")).toContainText("This browser cannot play it", { timeout: LONG_MS });
});
