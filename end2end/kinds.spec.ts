// Files as people have them: the page plays what a browser plays of them, whatever else is inside, and says so where it plays nothing.
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { active, LONG_MS, media, plays } from "./probe";
import { expect, test } from "./actions";

const picture = ["-f", "lavfi", "-i", "testsrc2=s=180x320:r=24:d=4"];
const sound = ["-f", "lavfi", "-i", "sine=440:d=4"];
const avc = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "24"];

test("a film with a second sound, an audiobook with pictures and a stream that is called a film", async ({ page, serve }) => {
  test.setTimeout(90_000);
  const server = await serve(["brief"]);
  const make = (name: string, ...parts: string[]) =>
    execFileSync("ffmpeg", ["-nostdin", "-v", "error", "-y", ...parts, join(server.streams, name)]);
  const both = ["-map", "0:v", "-map", "1:a", "-map", "1:a", ...avc];
  make("dolby-second.mp4", ...picture, ...sound, ...both, "-c:a:0", "libmp3lame", "-c:a:1", "ac3", "-movflags", "+faststart");
  make("dolby-first.mp4", ...picture, ...sound, ...both, "-c:a:0", "ac3", "-c:a:1", "aac", "-movflags", "+faststart");
  const slides = ["-f", "lavfi", "-i", "testsrc2=s=64x64:r=1/2:d=4"];
  make("talk.m4a", ...sound, ...slides, "-c:a", "aac", "-c:v", "mjpeg", "-pix_fmt", "yuvj420p", "-f", "mov");
  make("stream.mp4", ...picture, ...sound, ...avc, "-c:a", "aac", "-f", "mpegts");
  const ids = async () => ((await (await fetch(`${server.url}/api/channels`)).json()) as string[]).length;
  await expect.poll(ids, { timeout: LONG_MS }).toBe(5);

  for (const film of ["dolby-second", "dolby-first"]) {
    await page.goto(`${server.url}/c/${film}`);
    await plays(page, film);
  }
  await page.goto(`${server.url}/c/talk`);
  await expect(active(page)).toHaveAttribute("data-channel", "talk");
  await expect.poll(() => media(page, (element) => !element.paused && element.currentTime > 0.3), { timeout: LONG_MS }).toBe(true);
  await page.goto(`${server.url}/c/stream`);
  await expect(active(page).getByRole("alert")).toBeVisible({ timeout: LONG_MS });
});
