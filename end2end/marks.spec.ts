// What is said beside a reel: the hint of a first visit, what comes next, what is live, what is new, who has arrived.
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { LONG_MS, active, media, plays, rests, stays } from "./eyes";
import { expect, press, swipe, test } from "./hands";

test("a first visit by touch gets a hint, until somebody has swiped", async ({ page }) => {
  const room = page.getByRole("main");
  await page.goto("/");
  await plays(page, "clip_0");
  await expect(room).toHaveAttribute("data-hint", "", { timeout: LONG_MS });
  await expect(room).not.toHaveAttribute("data-hint");
  await stays(page, "clip_0");
  await page.reload();
  await plays(page, "clip_0");
  await expect(room, "a second time").toHaveAttribute("data-hint", "", { timeout: LONG_MS });
  await swipe(page);
  await expect(room).not.toHaveAttribute("data-hint");
  await plays(page, "clip_1");
  await expect(page).toHaveURL(/clip_1/);
  await page.reload();
  await plays(page, "clip_1");
  await page.waitForTimeout(3_000);
  await expect(room).not.toHaveAttribute("data-hint");
});

test("a pointer needs no hint", { tag: "@desktop" }, async ({ page }) => {
  await page.goto("/");
  await plays(page, "clip_0");
  await page.waitForTimeout(3_000);
  await expect(page.getByRole("main")).not.toHaveAttribute("data-hint");
});

test("near its end a long reel tells what comes next, and goes there", async ({ page, house }) => {
  const home = await house(["long", "said_1"]);
  await page.goto(`${home.url}/c/long`);
  await plays(page, "long");
  const next = page.getByRole("button", { name: "Next: With captions 1" });
  await expect(next).toBeHidden();
  await media(page, (video) => (video.currentTime = video.duration - 5.5));
  await expect(next).toBeVisible();
  await next.focus();
  await press(page, "Enter");
  await plays(page, "said_1");
  await expect(page.locator(".up-next")).toBeHidden();
});

test("what is live has a badge; finished, it loses it", async ({ page, house }) => {
  test.setTimeout(60_000);
  const home = await house(["clip_0"]);
  home.add("long");
  const playlist = join(home.streams, "long", "playlist.m3u8");
  const whole = readFileSync(playlist, "utf8");
  // Eight segments of it are there so far.
  const parts = whole.split(/(?=#EXTINF)/);
  const write = (text: string) => {
    writeFileSync(`${playlist}.part`, text);
    renameSync(`${playlist}.part`, playlist);
  };
  write(parts.slice(0, 9).join("").replace("#EXT-X-ENDLIST\n", "").replace("#EXT-X-PLAYLIST-TYPE:VOD\n", ""));
  const live = async () => ((await (await fetch(`${home.url}/api/channels/long`)).json()) as { live?: boolean }).live;
  await expect.poll(live, { timeout: LONG_MS }).toBe(true);
  await page.goto(`${home.url}/c/long`);
  await plays(page, "long");
  const badge = page.getByRole("main").locator(".live-badge");
  await expect(badge).toBeVisible();
  await expect(badge).toHaveText("Live");
  await press(page, "ArrowUp");
  await plays(page, "clip_0");
  await expect(badge).toBeHidden();
  write(whole);
  await expect.poll(live, { timeout: LONG_MS }).toBe(false);
  await rests(page);
  await press(page, "ArrowDown");
  await plays(page, "long");
  await expect(badge).toBeHidden();
});

test("a bar says how many channels are new, and goes there", async ({ page, house }) => {
  test.setTimeout(60_000);
  const home = await house(["clip_4", "clip_6"]);
  await page.goto(`${home.url}/c/clip_4`);
  await plays(page, "clip_4");
  const bar = page.getByRole("status").filter({ hasText: "new" });
  await expect(bar).toBeHidden();
  home.add("clip_5");
  await expect(bar).toContainText("One new reel", { timeout: LONG_MS });
  home.add("clip_1");
  await expect(bar).toContainText("2 new reels", { timeout: LONG_MS });
  await expect(active(page)).toHaveAttribute("data-channel", "clip_4");
  await page.getByRole("button", { name: "See" }).tap();
  await plays(page, "clip_5");
  await expect(bar).toBeHidden();
});

test("a screen reader hears which reel has arrived", async ({ page }) => {
  await page.goto("/");
  await plays(page, "clip_0");
  const said = page.locator(".announcer");
  await expect(said).toHaveAttribute("aria-live", "polite");
  await expect(said).toBeEmpty();
  for (const [way, channel, sentence] of [[1, "clip_1", "2 of 13: Test reel 1"], [1, "clip_2", "3 of 13: Test reel 2"], [-1, "clip_1", "2 of 13: Test reel 1"]] as const) {
    await swipe(page, way);
    await plays(page, channel);
    await expect(said).toHaveText(sentence);
    await rests(page);
  }
});
