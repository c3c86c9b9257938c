// The playing time stands still although it should not: tracks of different length, a segment without sound, a hole, an encoder
// that starts anew.
import { spawn, type ChildProcess } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";

import { media, nothingFor, plays } from "./probe";
import { expect, test } from "./actions";

/** How far it has played, and how often it began again, from now on. */
async function follows(page: Parameters<typeof plays>[0]): Promise<() => Promise<{ far: number; loops: number }>> {
  const seen = await page.evaluateHandle(() => {
    const seen = { far: 0, loops: 0 };
    let before = 0;
    setInterval(() => {
      const at = document.querySelector("video")?.currentTime ?? 0;
      if (at + 1 < before) seen.loops++;
      before = at;
      seen.far = Math.max(seen.far, at);
    }, 100);
    return seen;
  });
  return () => seen.evaluate(({ far, loops }) => ({ far, loops }));
}

test("where the sound ends before the picture, the picture goes on to its end and begins again", async ({ page, serve }) => {
  test.setTimeout(90_000);
  const server = await serve(["short_sound", "clip_0"]);
  await page.goto(`${server.url}/c/short_sound`);
  await plays(page, "short_sound");
  const seen = await follows(page);
  await expect.poll(async () => (await seen()).far, { timeout: 30_000 }).toBeGreaterThan(9);
  await expect.poll(async () => (await seen()).loops, { timeout: 30_000 }).toBeGreaterThan(0);
  await expect(page.getByRole("alert")).toBeHidden();
});

test("a channel whose first segment has no sound plays on behind it, or says so", async ({ page, serve }) => {
  test.setTimeout(90_000);
  const server = await serve(["late_sound", "clip_0"]);
  await page.goto(`${server.url}/c/late_sound`);
  const far = () => media(page, (video) => video.currentTime).catch(() => 0);
  await expect.poll(far, { timeout: 30_000, intervals: [100] }).toBeGreaterThan(5);
  // At its end it begins again, and comes past that place once more.
  await media(page, (video) => (video.currentTime = video.duration - 1));
  await expect.poll(far, { timeout: 30_000, intervals: [50] }).toBeLessThan(2);
  await expect.poll(far, { timeout: 30_000, intervals: [100] }).toBeGreaterThan(4);
});

test("a hole in the timestamps is jumped", async ({ page, serve }) => {
  test.setTimeout(90_000);
  const server = await serve(["hole", "clip_0"]);
  await page.goto(`${server.url}/c/hole`);
  const seen = await follows(page);
  await expect.poll(async () => (await seen()).far, { timeout: 40_000 }).toBeGreaterThan(11);
  await expect(page.getByRole("alert")).toBeHidden();
});

/** The corner of what is on screen. */
const corner = (page: Parameters<typeof plays>[0]) =>
  media(page, (video) => {
    const pen = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d")!;
    pen.drawImage(video, 4, 4, 16, 16, 0, 0, 1, 1);
    const [red = 0, green = 0] = pen.getImageData(0, 0, 1, 1).data;
    return ["red", "lime"][[red, green].findIndex((part) => part > 180)];
  });

/** A live encoder that writes into a folder of the server, with a corner of this colour. */
function encoder(folder: string, corner: string): ChildProcess {
  mkdirSync(folder, { recursive: true });
  return spawn(
    "ffmpeg",
    [
      "-nostdin", "-v", "error", "-y", "-re", "-f", "lavfi", "-i", `testsrc2=s=180x320:r=24,drawbox=w=40:h=40:color=${corner}:t=fill`, "-f", "lavfi", "-i", "sine=440", "-t", "90",
      "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "24", "-c:a", "aac", "-f", "hls", "-hls_time", "1",
      "-hls_list_size", "5", "-hls_flags", "delete_segments", join(folder, "playlist.m3u8"),
    ],
    { stdio: "ignore" },
  );
}

/** Waits until what is on screen has stood still for so long. */
async function stands(page: Parameters<typeof plays>[0], ms: number): Promise<void> {
  const at = () => media(page, (video) => video.currentTime);
  await expect(async () => {
    const now = await at();
    await nothingFor(ms, "it still plays", at, now);
  }).toPass({ timeout: 40_000 });
}

const gone = (child: ChildProcess) =>
  new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
    child.kill("SIGKILL");
  });

test("a live encoder that starts anew is followed, and one that stops is said to", async ({ page, serve, expects }) => {
  test.setTimeout(180_000);
  expects(/Failed to load resource/);
  const server = await serve(["clip_0"]);
  const folder = join(server.streams, "live");
  let child = encoder(folder, "red");
  try {
    await expect
      .poll(async () => (await fetch(`${server.url}/api/channels/live`)).status, { timeout: 30_000 })
      .toBe(200);
    await page.goto(`${server.url}/c/live`);
    await plays(page, "live");
    const at = () => media(page, (video) => video.currentTime);
    // On beyond what its playlist held at first.
    const first = await at();
    await expect.poll(at, { timeout: 30_000, message: "it goes on" }).toBeGreaterThan(first + 7);
    expect(await corner(page)).toBe("red");
    // First it stands, then the new stream comes.
    await gone(child);
    await stands(page, 1_500);
    child = encoder(folder, "lime");
    await expect.poll(() => corner(page), { timeout: 40_000, message: "the new stream comes" }).toBe("lime");
    const came = await at();
    await expect.poll(at, { timeout: 20_000, message: "and goes on" }).toBeGreaterThan(came + 3);
    await gone(child);
    await expect(page.getByRole("alert")).toContainText("sends nothing", { timeout: 40_000 });
    child = encoder(folder, "red");
    await expect(page.getByRole("alert")).toBeHidden({ timeout: 40_000 });
    await plays(page, "live");
  } finally {
    await gone(child);
    rmSync(folder, { recursive: true, force: true });
  }
});
