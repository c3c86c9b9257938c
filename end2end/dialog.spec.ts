// The guide over the reels: it opens, narrows and closes while the reel plays on.
import { join } from "node:path";

import type { Locator } from "@playwright/test";

import { LONG_MS, nothingFor, plays, rests } from "./probe";
import { expect, flingEnds, press, showControls, test } from "./actions";
import { MADE } from "./server";

test("G opens the guide over the reel, which plays on; one searches, chooses and is there", { tag: "@both" }, async ({ page, isMobile }) => {
  test.setTimeout(60_000);
  await page.goto("/c/clip_1");
  await plays(page, "clip_1");
  const guide = page.getByRole("dialog");
  await press(page, "g");
  const search = guide.getByRole("searchbox", { name: "Search" });
  await expect(search).toBeFocused();
  await expect(guide.locator("[data-channel=clip_1] [aria-current=true]")).toBeVisible();
  const frames = () => page.evaluate(() => window.probe.frames);
  const before = await frames();
  await expect.poll(frames, { message: "the reel plays on" }).toBeGreaterThan(before + 3);
  await search.pressSequentially("test reel 1");
  await expect(guide.locator(".film-frame")).toHaveCount(2);
  await expect(guide.getByRole("listitem").filter({ hasText: "Test reel 10" })).toBeVisible();
  // A search box keeps its first Escape for itself, to be emptied.
  await press(page, "Escape");
  await expect(search).toHaveValue("");
  await expect(guide).toBeVisible();
  await press(page, "Escape");
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
  expect(await page.evaluate(() => window.probe.most)).toBe(1);
});

test("the browser's Back closes the guide and stays on the page", { tag: "@both" }, async ({ page }) => {
  await page.goto("/pulse");
  await page.goto("/c/clip_1");
  await plays(page, "clip_1");
  const guide = page.getByRole("dialog");
  await press(page, "g");
  await expect(guide.locator("[data-channel=clip_1] [aria-current=true]")).toBeVisible();
  const here = await page.evaluate(() => performance.timeOrigin);
  await page.evaluate(() => history.back());
  await expect(guide).toBeHidden();
  await expect(page).toHaveURL(/\/c\/clip_1$/);
  expect(await page.evaluate(() => performance.timeOrigin), "the same document").toBe(here);
  await plays(page, "clip_1");

  // Closed in another way it leaves no step behind: Back leads where it led before.
  await press(page, "g");
  await expect(guide.locator("[data-channel=clip_1] [aria-current=true]")).toBeVisible();
  await guide.getByRole("link", { name: "Close" }).click();
  await expect(guide).toBeHidden();
  await press(page, "g");
  await expect(guide.locator("[data-channel=clip_4]")).toBeVisible();
  await guide.locator("[data-channel=clip_4]").getByRole("link").click();
  await expect(guide).toBeHidden();
  await plays(page, "clip_4");
  await rests(page);
  await expect(page).toHaveURL(/\/c\/clip_4$/);
  await page.goBack();
  await expect(page).toHaveURL(/\/pulse$/);
});

const LATE = "The guide does not come. It is asked for again.";

test("a guide without a network says so, can be left, and comes by itself when the network is back", async ({ page, context, expects }) => {
  test.setTimeout(90_000);
  expects(/Failed to load resource|WebSocket connection to .* failed/);
  await page.goto("/c/clip_1");
  await plays(page, "clip_1");
  await rests(page);
  const guide = page.getByRole("dialog");
  await context.setOffline(true);
  await press(page, "g");
  await expect(guide.getByRole("status")).toHaveText(LATE, { timeout: LONG_MS });
  await guide.getByRole("button", { name: "Close" }).click();
  await expect(guide).toBeHidden();
  await plays(page, "clip_1");
  await press(page, "g");
  await expect(guide.getByRole("status")).toHaveText(LATE, { timeout: LONG_MS });
  await context.setOffline(false);
  await expect(guide.locator("[data-channel=clip_1] [aria-current=true]")).toBeVisible({ timeout: LONG_MS });
  expect((await guide.getByRole("searchbox").boundingBox())?.y, "it has its style").toBeGreaterThan(10);
  // What is there stays there without a network, and what was asked for comes when there is one.
  await context.setOffline(true);
  await guide.getByRole("searchbox", { name: "Search" }).fill("test reel 7");
  await expect(guide.getByRole("status")).toHaveText(LATE, { timeout: LONG_MS });
  await expect(guide.getByRole("status")).toBeInViewport({ ratio: 1 });
  expect((await guide.getByRole("status").boundingBox())?.height, "it is seen").toBeGreaterThan(40);
  await expect(guide.locator("[data-channel=clip_1]")).toBeVisible();
  await context.setOffline(false);
  await expect(guide.locator("[data-channel=clip_1]")).toHaveCount(0, { timeout: LONG_MS });
  await expect(guide.locator("[data-channel=clip_7]")).toBeVisible();
  await guide.getByRole("link", { name: "Close" }).click();
  await expect(guide).toBeHidden();
  await press(page, "ArrowDown");
  await plays(page, "clip_2");
});

test("while the server is away the bar speaks alone, over the guide too", { tag: "@both" }, async ({ page, serve, expects }) => {
  test.setTimeout(120_000);
  expects(/Failed to load resource|WebSocket connection to .* failed/);
  const server = await serve(["clip_0", "clip_1"]);
  await page.goto(`${server.url}/c/clip_1`);
  await plays(page, "clip_1");
  await rests(page);
  const [guide, bar, now] = [page.getByRole("dialog"), page.locator(".bar.offline"), page.getByRole("button", { name: "Now" })];
  const once = async () => {
    await expect(bar).toBeVisible({ timeout: 20_000 });
    await expect(page.getByText(LATE)).toBeHidden();
    await expect(page.getByRole("status").filter({ hasText: "No connection" })).toHaveCount(1);
    const seen = await bar.evaluate((e) => {
      const { left, top, right, bottom } = e.getBoundingClientRect();
      return e.contains(document.elementFromPoint((left + right) / 2, (top + bottom) / 2));
    });
    expect(seen, "nothing lies over it").toBe(true);
  };
  await server.stop("SIGKILL");
  await once();
  await press(page, "g");
  await expect(guide.getByRole("button", { name: "Close" })).toBeInViewport({ ratio: 1 });
  const late = () => page.getByText(LATE).isVisible();
  await nothingFor(4_000, "the guide says too that it does not come", late, false);
  await once();
  await server.start();
  // It may have been tried meanwhile.
  await now.click({ timeout: 1_000 }).catch(() => undefined);
  await expect(guide.locator("[data-channel=clip_1] [aria-current=true]")).toBeVisible({ timeout: 20_000 });
  await expect(bar).toBeHidden({ timeout: 20_000 });
  // What was open already is asked in vain.
  await server.stop("SIGKILL");
  await guide.getByRole("searchbox", { name: "Search" }).fill("test reel 0");
  await once();
  await nothingFor(2_000, "the guide says too that what was asked for does not come", late, false);
  await once();
  await now.focus();
  await server.start();
  await now.press("Enter", { timeout: 1_000 }).catch(() => undefined);
  await expect(bar).toBeHidden({ timeout: 20_000 });
  await expect.poll(() => guide.evaluate((e) => e.contains(document.activeElement)), { message: "the focus stays in it" }).toBe(true);
  await server.stop("SIGKILL");
  await once();
  await guide.getByRole("link", { name: "Close" }).click();
  await expect(guide).toBeHidden();
  await once();
  await server.start();
  await expect(bar).toBeHidden({ timeout: 40_000 });
  await plays(page, "clip_1");
});

test("rolls of the guide that did not come are asked for again", async ({ page, context, serve, expects }) => {
  test.setTimeout(90_000);
  expects(/Failed to load resource|WebSocket connection to .* failed/);
  const server = await serve([]);
  for (let n = 1; n <= 150; n++) server.add(`r${n}`, join(MADE, `clip_${n % 11}`));
  await expect.poll(async () => (await (await fetch(`${server.url}/api/channels`)).json()).length, { timeout: 20_000 }).toBe(150);
  await page.goto(`${server.url}/c/r1`);
  await plays(page, "r1");
  const guide = page.getByRole("dialog");
  await press(page, "g");
  await expect(guide.locator("[data-channel=r1]")).toBeVisible();
  await expect(guide.locator(".roll")).toHaveCount(5);
  let asked = 0;
  page.on("requestfailed", (request) => (asked += Number(request.url().includes("/guide/rolls/5"))));
  await context.setOffline(true);
  const last = guide.locator(".roll").last();
  await last.evaluate((roll) => roll.scrollIntoView());
  await expect.poll(() => asked, { timeout: LONG_MS, message: "asked for, in vain, more than once" }).toBeGreaterThan(1);
  await expect(last.locator(".film-frame")).toHaveCount(0);
  await context.setOffline(false);
  await expect(guide.locator("[data-channel=r150]")).toBeVisible({ timeout: LONG_MS });
  await expect(last.locator(".film-frame")).toHaveCount(150 - 4 * 36);
  await guide.locator("[data-channel=r150]").getByRole("link").click();
  await plays(page, "r150");
});

test("reloaded with the guide open, Back leads to the page before", { tag: "@both" }, async ({ page }) => {
  await page.goto("/pulse");
  await page.goto("/c/clip_1");
  await plays(page, "clip_1");
  await press(page, "g");
  await expect(page.getByRole("dialog").locator("[data-channel=clip_1] [aria-current=true]")).toBeVisible();
  await page.reload();
  await plays(page, "clip_1");
  await expect(page.getByRole("dialog")).toBeHidden();
  await rests(page);
  await page.goBack();
  await expect(page).toHaveURL(/\/pulse$/);
});

test("what lies over the reel is closed by Back, one after the other, and the reel plays on", async ({ page }) => {
  test.setTimeout(90_000);
  // A browser that can share by itself shows no sheet.
  await page.addInitScript(() => Reflect.deleteProperty(Navigator.prototype, "share"));
  await page.goto("/pulse");
  await page.goto("/c/clip_3");
  await plays(page, "clip_3");
  await rests(page);
  const [here, entries] = await page.evaluate(() => [performance.timeOrigin, history.length]);
  const room = page.getByRole("main");
  const dock = async (name: string | RegExp) => {
    await showControls(page);
    await page.getByRole("button", { name }).tap();
  };
  const over: [Locator, () => Promise<void>][] = [
    [page.getByRole("group", { name: "Playback" }), () => dock("Playback")],
    [page.locator(".guide"), () => press(page, "g")],
    [page.getByRole("dialog", { name: "Share this reel" }), () => dock("Share")],
    [page.getByRole("dialog", { name: "Keyboard" }), () => press(page, "?")],
    [page.getByRole("textbox", { name: "Message" }), () => dock(/^Chat/)],
  ];
  for (const [part, open] of over) {
    await open();
    await expect(part).toBeVisible();
    await page.evaluate(() => history.back());
    await expect(part).toBeHidden();
    await expect(room).not.toHaveAttribute("data-menu");
    await expect(room).not.toHaveAttribute("data-chat-open");
    await expect(page).toHaveURL(/\/c\/clip_3$/);
    await plays(page, "clip_3");
    await flingEnds();
  }
  expect(await page.evaluate(() => performance.timeOrigin), "the same document").toBe(here);
  expect(await page.evaluate(() => history.length), "one entry ahead, each time the same").toBe(entries! + 1);
  await page.goBack();
  await expect(page).toHaveURL(/\/pulse$/);
});
