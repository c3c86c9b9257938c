// The guide over the reels: it opens, narrows and closes while the reel plays on.
import { plays, rests } from "./eyes";
import { expect, press, showControls, test } from "./hands";

test("G opens the guide over the reel, which plays on; one searches, chooses and is there", { tag: "@both" }, async ({ page, isMobile }) => {
  test.setTimeout(60_000);
  await page.goto("/c/clip_1");
  await plays(page, "clip_1");
  const guide = page.getByRole("dialog");
  await press(page, "g");
  const search = guide.getByRole("searchbox", { name: "Search" });
  await expect(search).toBeFocused();
  await expect(guide.locator("[data-channel=clip_1] [aria-current=true]")).toBeVisible();
  const frames = () => page.evaluate(() => window.sight.frames);
  const before = await frames();
  await expect.poll(frames, { message: "the reel plays on" }).toBeGreaterThan(before + 3);
  await search.pressSequentially("test reel 1");
  await expect(guide.locator(".film-frame")).toHaveCount(2);
  await expect(guide.getByRole("listitem").filter({ hasText: "Test reel 10" })).toBeVisible();
  await press(page, "Escape");
  // A search box may keep its first Escape for itself, to be emptied.
  if (await guide.isVisible()) await press(page, "Escape");
  await expect(guide).toBeHidden();
  await plays(page, "clip_1");

  // By its button; Escape gives the focus back to it.
  if (isMobile) await showControls(page);
  else await page.mouse.move(700, 300);
  const opener = page.getByRole("link", { name: "Guide" }).first();
  await opener.focus();
  await press(page, "Enter");
  await expect(search).toBeFocused();
  await expect(page).toHaveURL(/\/c\/clip_1/);
  await press(page, "Tab");
  await press(page, "Escape");
  await expect(guide).toBeHidden();
  await expect(opener).toBeFocused();

  await press(page, "Enter");
  await expect(search).toBeFocused();
  await guide.locator("[data-channel=clip_7]").getByRole("link").click();
  await expect(guide).toBeHidden();
  await plays(page, "clip_7");
  await rests(page);
  await expect(page).toHaveURL(/\/c\/clip_7/);
  expect(await page.evaluate(() => window.sight.most)).toBe(1);
});
