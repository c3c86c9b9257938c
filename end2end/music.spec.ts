// Music: a sound track to look at, and the keys of the device.
import { active, LONG_MS, media, plays } from "./probe";
import { expect, test } from "./actions";

test("music shows its sound track, tells the device what plays, and goes on to the next", async ({ page, serve }) => {
  test.setTimeout(60_000);
  const server = await serve(["tone", "wide"]);
  // The waveform is made in the background.
  await expect
    .poll(async () => ((await (await fetch(`${server.url}/api/channels/tone`)).json()) as { waveform?: string }).waveform, { timeout: 30_000 })
    .toBeTruthy();
  await page.goto(`${server.url}/c/tone`);
  await expect(active(page)).toHaveAttribute("data-channel", "tone");
  const title = () => page.evaluate(() => navigator.mediaSession.metadata?.title);
  await expect.poll(title, { timeout: LONG_MS }).toBe("A short tone");
  const path = page.locator(".sound-track path").first();
  await expect(path).toHaveAttribute("d", /^M0 56L0 \d+/, { timeout: LONG_MS });
  await expect(page.locator(".sound-track")).toBeVisible();
  expect(await page.locator("video, audio").count()).toBe(1);
  await plays(page, "wide");
  await expect.poll(title).toBe("A wide picture");
  expect(await page.evaluate(() => navigator.mediaSession.playbackState)).toBe("playing");
  await expect(page.locator(".sound-track")).toBeHidden();
  expect(await media(page, (video) => video.paused)).toBe(false);
});
