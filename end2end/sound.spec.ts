// Sound: off until somebody asks for it, and then on for good.
import { media, plays } from "./eyes";
import { expect, press, showControls, swipe, test } from "./hands";

const sound = { name: "Sound", exact: true } as const;

test("trap 2: sound starts off, and once on it survives 20 swipes", async ({ page }) => {
  test.setTimeout(60_000);
  await page.goto("/");
  await plays(page, "clip_0");
  await expect(page.getByRole("button", sound)).toHaveAttribute("aria-pressed", "false");
  expect(await media(page, (video) => video.muted)).toBe(true);
  await showControls(page);
  await page.getByRole("button", sound).tap();
  for (let n = 0; n < 20; n++) {
    const way = n < 10 ? 1 : -1;
    await expect(page.getByRole("button", sound)).toHaveAttribute("aria-pressed", "true");
    expect(await media(page, (video) => video.muted)).toBe(false);
    await swipe(page, way, { steps: 6 });
    await plays(page, `clip_${n < 10 ? n + 1 : 19 - n}`);
  }
  expect(await media(page, (video) => !video.muted && !video.paused && video.volume)).toBe(1);
});

test("the offer of sound is taken once, and M takes it back", { tag: "@smoke" }, async ({ page }) => {
  await page.goto("/");
  await plays(page, "clip_0");
  const offer = page.getByRole("button", { name: "Tap to hear" });
  await offer.tap();
  await expect(offer).toBeHidden();
  expect(await media(page, (video) => video.muted)).toBe(false);
  await press(page, "m");
  await expect(page.getByRole("button", sound)).toHaveAttribute("aria-pressed", "false");
  expect(await media(page, (video) => video.muted)).toBe(true);
  await expect(offer).toBeHidden();
});
