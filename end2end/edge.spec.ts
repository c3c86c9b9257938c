// A server in front of another one: what its phones see when the one behind goes away and comes back.
import { execFileSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { active, LONG_MS, media, plays, stays } from "./probe";
import { expect, test } from "./actions";
import { MADE } from "./server";

test("a reel whose server is away says so, and plays on when that is back", async ({ page, serve, expects }) => {
  test.setTimeout(90_000);
  expects(/status of 503/);
  const behind = await serve(["clip_1", "clip_2", "clip_3"]);
  const front = await serve(["clip_0"], { VIDEO_ORIGIN: behind.url, SOURCE_REFRESH_S: "1" });
  const listed = async (id: string) => {
    const answer = await fetch(`${front.url}/api/channels/${id}`);
    return answer.ok ? ((await answer.json()) as { available: boolean; source: string }) : undefined;
  };
  await expect.poll(() => listed("clip_3"), { timeout: LONG_MS }).toMatchObject({ available: true, source: "http" });
  await page.goto(`${front.url}/c/clip_1`);
  await plays(page, "clip_1");
  await expect(active(page).locator(".about").first()).toHaveText("HTTP");

  await behind.stop();
  await expect.poll(async () => (await listed("clip_3"))?.available, { timeout: LONG_MS }).toBe(false);
  const health = (await (await fetch(`${front.url}/api/health`)).json()) as { status: string; reasons: string[] };
  expect(health.status).toBe("degraded");
  expect(health.reasons).toEqual(["video_away"]);
  // The reel on screen minds none of it.
  await stays(page, "clip_1");
  const at = () => media(page, (video) => video.currentTime);
  const before = await at();
  await expect.poll(at).not.toBe(before);
  // What has been seen is kept here, what has not is refused with a reason.
  await page.goto(`${front.url}/c/clip_1`);
  await plays(page, "clip_1");
  await page.goto(`${front.url}/c/clip_3`);
  const told = page.getByRole("alert");
  await expect(told).toContainText("The server that keeps it does not answer.", { timeout: 30_000 });
  await stays(page, "clip_3");

  await behind.start();
  await plays(page, "clip_3");
  await expect(told).toBeHidden();
});

test("a bare file whose server is away is not taken for damaged", async ({ page, serve, expects }) => {
  test.setTimeout(90_000);
  expects(/status of 503/);
  const behind = await serve([]);
  const file = join(mkdtempSync(join(tmpdir(), "carrete-bare-")), "film.mp4");
  const copy = ["-v", "error", "-i", join(MADE, "clip_3", "playlist.m3u8"), "-c", "copy", "-bsf:a", "aac_adtstoasc", file];
  execFileSync("ffmpeg", copy);
  behind.add("film.mp4", file);
  const front = await serve(["clip_0"], { VIDEO_ORIGIN: behind.url, SOURCE_REFRESH_S: "1" });
  await expect.poll(async () => (await fetch(`${front.url}/api/channels/film`)).status, { timeout: LONG_MS }).toBe(200);
  await behind.stop();
  await page.goto(`${front.url}/c/film`);
  const told = page.getByRole("alert");
  await expect(told).toContainText("The server that keeps it does not answer.", { timeout: 30_000 });
  await behind.start();
  await expect(told).toBeHidden({ timeout: 30_000 });
  await expect.poll(() => media(page, (video) => video.currentTime)).toBeGreaterThan(0);
});
