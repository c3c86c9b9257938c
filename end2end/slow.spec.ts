// Bytes that come slowly, and pictures that a browser does not count: patience is for silence.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { active, LONG_MS, media, plays } from "./probe";
import { devtools, expect, swipe, test } from "./actions";

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
  while (Date.now() - began < 60_000 && !(await media(page, (video) => video.currentTime > 0.2).catch(() => false))) {
    await expect(alert, `after ${Date.now() - began} ms`).toBeHidden();
    await page.waitForTimeout(300);
  }
  expect(await media(page, (video) => video.currentTime)).toBeGreaterThan(0.2);
  expect(Date.now() - began, "it took longer than patience lasts").toBeGreaterThan(8_000);
});

for (const [how, stub] of [
  ["knows no frame callback", "undefined"],
  ["never calls its frame callback", "() => 1"],
] as const) {
  test(`where a browser ${how}, a film that plays counts as moving`, async ({ page, expects }) => {
    // The probe asks for it too.
    expects(/requestVideoFrameCallback/);
    await page.addInitScript(`Object.defineProperty(HTMLVideoElement.prototype, "requestVideoFrameCallback", { value: ${stub} })`);
    await page.goto("/c/clip_1");
    await expect.poll(() => media(page, (video) => video.currentTime), { timeout: LONG_MS }).toBeGreaterThan(1);
    const leader = page.locator(".leader");
    await expect(leader).not.toHaveAttribute("data-waits");
    await swipe(page);
    await expect(active(page)).toHaveAttribute("data-channel", "clip_2");
    await expect.poll(() => media(page, (video) => video.currentTime), { timeout: LONG_MS }).toBeGreaterThan(1);
    await expect(leader).not.toHaveAttribute("data-waits");
    await page.waitForTimeout(9_000);
    await expect(page.getByRole("alert")).toBeHidden();
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

test("a browser without media sources plays playlists by itself, or says so", async ({ page, serve }) => {
  test.setTimeout(60_000);
  const server = await serve(["clip_0", "clip_1", "long"]);
  // What an iPhone of some years does: no media source, and a playlist is a source of its own.
  await page.route("**/vendor/hls/hls.light*.mjs*", (route) =>
    route.fulfill({ contentType: "text/javascript", body: "export default class Hls { static isSupported() { return false; } }" }),
  );
  await page.addInitScript(() => localStorage.setItem("carrete.places", "long\t40"));
  await page.goto(server.url);
  const native = await page.evaluate(() => document.createElement("video").canPlayType("application/vnd.apple.mpegurl"));
  if (native === "") {
    await expect(page.getByRole("alert")).toBeVisible({ timeout: LONG_MS });
    return;
  }
  await plays(page, "clip_0");
  await swipe(page);
  await plays(page, "clip_1");
  // It goes on where it was left.
  await page.goto(`${server.url}/c/long`);
  await plays(page, "long");
  expect(await media(page, (video) => video.currentTime)).toBeGreaterThan(38);
});
