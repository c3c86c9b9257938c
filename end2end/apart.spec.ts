// Sound and captions in playlists of their own: the whole library is loaded for them, and for nothing else.
import type { Page } from "@playwright/test";

import { LONG_MS, media, plays, rests } from "./probe";
import { expect, press, swipe, test } from "./actions";

/** What Chromium tells beside the standard. */
type Decodes = HTMLVideoElement & { webkitAudioDecodedByteCount: number };

const FULL = /\/vendor\/hls\/hls\.min\.mjs/;
const sound = (page: Page) => page.getByRole("button", { name: "Sound", exact: true, includeHidden: true });
const captions = (page: Page) => page.getByRole("button", { name: /^(Captions|Subtítulos)$/, includeHidden: true });

/** Bytes of sound that the element has decoded of its reel so far. */
const decoded = (page: Page) => media(page, (video) => (video as Decodes).webkitAudioDecodedByteCount);

async function sounds(page: Page): Promise<void> {
  const before = await decoded(page);
  await expect.poll(() => decoded(page), { timeout: LONG_MS, message: "sound is decoded" }).toBeGreaterThan(before);
}

test("sound in a playlist of its own is heard, and plain reels before and after it play", async ({ page, serve }) => {
  test.setTimeout(90_000);
  const asked: string[] = [];
  page.on("request", (request) => asked.push(new URL(request.url()).pathname));
  const server = await serve(["clip_0", "sound_apart", "wide"]);
  await page.goto(`${server.url}/c/clip_0`);
  await plays(page, "clip_0");
  await press(page, "m");
  await expect(sound(page)).toHaveAttribute("aria-pressed", "true");
  await sounds(page);
  await swipe(page);
  await plays(page, "sound_apart");
  expect(asked.filter((path) => FULL.test(path)), "the whole library, once").toHaveLength(1);
  await sounds(page);
  expect(await media(page, (video) => video.muted)).toBe(false);
  // The language that the playlist prefers.
  expect(asked.some((path) => path.startsWith("/streams/sound_apart/en/playlist0"))).toBe(true);
  expect(asked.some((path) => path.startsWith("/streams/sound_apart/es/playlist0"))).toBe(false);
  // It loops with its sound.
  await media(page, (video) => (video.currentTime = video.duration - 0.8));
  await expect.poll(() => media(page, (video) => video.currentTime), { timeout: LONG_MS, intervals: [50] }).toBeLessThan(3);
  await plays(page, "sound_apart");
  await sounds(page);
  await rests(page);
  await swipe(page);
  await plays(page, "wide");
  await sounds(page);
  await rests(page);
  for (const [way, channel] of [[-1, "sound_apart"], [-1, "clip_0"], [1, "sound_apart"]] as const) {
    await swipe(page, way);
    await plays(page, channel);
    await sounds(page);
    await rests(page);
  }
  expect(asked.filter((path) => FULL.test(path))).toHaveLength(1);
  expect(await page.evaluate(() => window.probe.most)).toBe(1);
});

test("opened cold, a reel with sound of its own is heard", async ({ page, serve }) => {
  const server = await serve(["sound_apart", "clip_0"]);
  await page.goto(`${server.url}/c/sound_apart`);
  await plays(page, "sound_apart");
  await press(page, "m");
  await sounds(page);
  await expect(page.getByRole("alert")).toBeHidden();
});

test("captions in a playlist of their own are offered, switched, and in the page's language", async ({ page, guest, serve }) => {
  test.setTimeout(90_000);
  const server = await serve(["captions_apart", "clip_0", "said_1"]);
  const line = (who: Page, text: RegExp) => who.locator(".caption", { hasText: text });
  await page.goto(`${server.url}/c/captions_apart`);
  await plays(page, "captions_apart");
  await expect(captions(page)).not.toHaveAttribute("hidden", { timeout: LONG_MS });
  await expect(line(page, /./)).toBeHidden();
  // The playlist would have the browser show some by itself: captions are the page's.
  const native = () => media(page, (video) => [...video.textTracks].some((track) => track.mode === "showing"));
  await expect.poll(native, { timeout: LONG_MS }).toBe(false);
  await press(page, "c");
  await expect(captions(page)).toHaveAttribute("aria-pressed", "true");
  await expect(line(page, /^line [123]$/)).toBeVisible({ timeout: LONG_MS });
  // A line says what is said at that second.
  const said = async () => Number(/\d/.exec((await page.locator(".caption").textContent()) ?? "")?.[0]);
  for (const at of [0.3, 2.3, 4.3]) {
    await media(page, (video) => video.pause());
    await page.locator("video").evaluate((video: HTMLVideoElement, at) => (video.currentTime = at), at);
    await expect.poll(said, { timeout: LONG_MS, message: `at ${at} s` }).toBe(Math.floor(at / 2) + 1);
  }
  expect(await native()).toBe(false);
  await media(page, (video) => video.play());
  await press(page, "c");
  await expect(line(page, /./)).toBeHidden();
  await press(page, "c");
  await expect(line(page, /line/)).toBeVisible({ timeout: LONG_MS });

  // The next one has none, and the one after it has its own beside the playlist.
  await swipe(page);
  await plays(page, "clip_0");
  await expect(captions(page)).toHaveAttribute("hidden", "");
  await expect(line(page, /./)).toBeHidden();
  await rests(page);
  await swipe(page);
  await plays(page, "said_1");
  await expect(line(page, /^line 1$/)).toBeVisible({ timeout: LONG_MS });
  await rests(page);
  for (const channel of ["clip_0", "captions_apart"]) {
    await swipe(page, -1);
    await plays(page, channel);
    await rests(page);
  }
  await expect(line(page, /line/)).toBeVisible({ timeout: LONG_MS });

  const reader = await guest({ locale: "es-AR" });
  await reader.goto(`${server.url}/c/captions_apart`);
  await plays(reader, "captions_apart");
  await press(reader, "c");
  await expect(line(reader, /frase/)).toBeVisible({ timeout: LONG_MS });
});
