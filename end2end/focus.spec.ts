// Where the focus goes when its place closes: to what opened it, to what takes its place, or to the reel; never to nothing.
import type { Locator, Page } from "@playwright/test";

import { LONG_MS, active, nothingFor, plays, rests, settles } from "./probe";
import { expect, press, showControls, test } from "./actions";

const box = (page: Page) => page.getByRole("textbox", { name: "Message" });
const chatButton = (page: Page) => page.locator(".chat-button");

async function enter(page: Page, url: string, channel: string): Promise<void> {
  await page.goto(url);
  await plays(page, channel);
  await rests(page);
}

test("the chat gives it back to what opened it, however it is closed", async ({ page }) => {
  await enter(page, "/c/clip_3", "clip_3");
  const closes: Record<string, () => Promise<void>> = {
    "by its button": () => page.getByRole("button", { name: "Close" }).tap(),
    "by Escape": () => press(page, "Escape"),
    "by Back": async () => void (await page.goBack()),
  };
  for (const [how, close] of Object.entries(closes)) {
    await showControls(page);
    await chatButton(page).tap();
    await expect(box(page)).toBeVisible();
    await box(page).focus();
    await close();
    await expect(chatButton(page), how).toBeFocused();
    await expect(page.getByRole("region", { name: "Chat" })).toBeHidden();
    await active(page).focus();
  }
  // Opened by a key, from the reel.
  await press(page, "Enter");
  await expect(box(page)).toBeFocused();
  await press(page, "Escape");
  await expect(active(page)).toBeFocused();
});

test("the question for the name can be left, and the message waits in its box", { tag: "@both" }, async ({ page, serve }) => {
  const server = await serve(["clip_0"]);
  await enter(page, server.url, "clip_0");
  await active(page).focus();
  await press(page, "Enter");
  await box(page).fill("hello");
  await press(page, "Enter");
  const name = page.getByRole("textbox", { name: "Your name" });
  await expect(name).toBeFocused();
  await press(page, "Escape");
  await expect(name).toBeHidden();
  await expect(box(page)).toBeFocused();
  await expect(box(page)).toHaveValue("hello");
  await press(page, "Enter");
  await expect(name).toBeFocused();
  await name.fill("Ana");
  await press(page, "Enter");
  await expect(box(page)).toBeFocused();
  await expect(page.getByRole("log").getByText("hello", { exact: true })).toBeVisible();
});

test("what goes when it is pressed leaves it to the reel on screen", { tag: "@both" }, async ({ page, expects, serve }) => {
  test.setTimeout(60_000);
  expects(/Failed to load resource/);
  const server = await serve(["clip_0", "clip_3", "clip_4"]);
  // From the first, because what comes next is loaded before one goes there.
  const playlist = "**/streams/clip_3/playlist.m3u8";
  await page.route(playlist, (route) => route.fulfill({ status: 500 }));
  await enter(page, server.url, "clip_0");
  const hear = page.locator(".hear");
  await hear.focus();
  await press(page, "Enter");
  await expect(hear).toBeHidden();
  await expect(active(page)).toBeFocused();
  // And Space is the reel's again.
  await press(page, " ");
  await expect(page.getByRole("main")).toHaveAttribute("data-paused", "");
  await press(page, " ");
  // "Next" and "Retry" of a reel that fails.
  for (const name of ["Next", "Retry"]) {
    await press(page, name === "Next" ? "ArrowDown" : "ArrowUp");
    const told = active(page).getByRole("alert");
    await expect(told).toBeVisible({ timeout: 20_000 });
    await rests(page);
    await told.getByRole("button", { name }).focus();
    if (name === "Retry") await page.unroute(playlist);
    await press(page, "Enter");
    await plays(page, name === "Next" ? "clip_4" : "clip_3");
    await expect(active(page), name).toBeFocused();
    await rests(page);
  }
});

test("a bar that goes leaves it to the reel on screen", async ({ page, expects, serve }) => {
  test.setTimeout(60_000);
  expects(/WebSocket connection to .* failed|Failed to load resource/);
  const server = await serve(["clip_0", "clip_1"]);
  await enter(page, server.url, "clip_0");
  await server.stop("SIGKILL");
  const now = page.getByRole("button", { name: "Now" });
  await expect(now).toBeVisible({ timeout: 20_000 });
  await now.focus();
  await server.start();
  // The bar may go by itself in that very moment: Enter would then open the chat of the reel that has the focus.
  await page.evaluate(() => {
    const focused = document.activeElement;
    if (focused instanceof HTMLButtonElement && focused.textContent === "Now") focused.click();
  });
  await expect(now).toBeHidden({ timeout: 20_000 });
  await expect(active(page)).toBeFocused();
  // One that tells of a new reel goes by itself.
  server.add("clip_2");
  const see = page.getByRole("button", { name: "See" });
  await expect(see).toBeVisible({ timeout: LONG_MS });
  await see.focus();
  await press(page, "Enter");
  await expect(see).toBeHidden();
  await plays(page, "clip_2");
  await expect(active(page)).toBeFocused();
});

test("the menu gives it back to its button", { tag: "@both" }, async ({ page }) => {
  await enter(page, "/c/clip_3", "clip_3");
  const button = page.locator(".menu-button");
  await button.focus();
  await press(page, "Enter");
  await expect(page.locator(".menu")).toBeVisible();
  await press(page, "Escape");
  await expect(button).toBeFocused();
});

test("on a phone the menu gives it back to its button, by Escape as by Back", async ({ page }) => {
  await enter(page, "/c/clip_3", "clip_3");
  const button = page.locator(".menu-button");
  const closes: Record<string, () => Promise<unknown>> = { Escape: () => press(page, "Escape"), Back: () => page.goBack() };
  for (const [how, close] of Object.entries(closes)) {
    await showControls(page);
    await button.tap();
    await expect(page.locator(".menu")).toBeFocused();
    await close();
    await expect(page.locator(".menu")).toBeHidden();
    await expect(button, how).toBeFocused();
    await nothingFor(200, "the focus goes on from there", () => button.evaluate((e) => e === document.activeElement), true);
    await active(page).focus();
  }
});

const SMALL = { width: 320, height: 256 };
test("at 320x256 the chat can be read and written, and a failure can be answered", async ({ guest, expects }) => {
  test.setTimeout(60_000);
  expects(/Failed to load resource/);
  const page = await guest({ viewport: SMALL, hasTouch: true, isMobile: true });
  await page.route("**/streams/clip_3/playlist.m3u8", (route) => route.fulfill({ status: 500 }));
  await enter(page, "/c/clip_2", "clip_2");
  const isReached = async (selector: string, least: number) => {
    const part = page.locator(selector).first();
    await part.scrollIntoViewIfNeeded();
    const { x, y, width, height } = (await part.boundingBox())!;
    const [top, bottom] = [Math.max(0, y), Math.min(SMALL.height, y + height)];
    expect(bottom - top, `${selector} shows`).toBeGreaterThanOrEqual(least);
    const there = await part.evaluate(
      (e, [x, y]) => e.contains(document.elementFromPoint(x!, y!)),
      [x + width / 2, (top + bottom) / 2],
    );
    expect(there, `${selector} lies under nothing`).toBe(true);
  };
  await active(page).focus();
  await press(page, "Enter");
  await expect(box(page)).toBeFocused();
  await settles(page, ".chat");
  await isReached(".say input", 44);
  await isReached(".say .send", 44);
  await isReached(".chat .log", 60);
  await isReached(".chat .close", 44);
  await page.getByRole("button", { name: "Close" }).tap();
  await press(page, "ArrowDown");
  const told = active(page).getByRole("alert");
  await expect(told).toBeVisible({ timeout: 20_000 });
  await rests(page);
  await isReached(".failure h2", 20);
  await isReached(".failure .retry", 44);
  await isReached(".failure .skip", 44);
  // A finger scrolls there and moves no reel.
  await expect(active(page)).toHaveAttribute("data-channel", "clip_3");
});

test("names and messages run the way they are written", async ({ page, serve }) => {
  const server = await serve(["clip_0"]);
  await enter(page, server.url, "clip_0");
  await active(page).focus();
  await press(page, "Enter");
  await box(page).fill("שלום ABC");
  expect(await box(page).evaluate((e) => getComputedStyle(e).direction)).toBe("rtl");
  await press(page, "Enter");
  await page.getByRole("textbox", { name: "Your name" }).fill("ליאת");
  await press(page, "Enter");
  const line = page.getByRole("log").getByRole("listitem").filter({ hasText: "ABC" });
  // A line that waits gives its place to the one that came back.
  const ways = (line: Locator) =>
    expect.poll(() => line.evaluate((e) => ["b", "p"].map((part) => getComputedStyle(e.querySelector(part)!).direction)));
  await ways(line).toEqual(["rtl", "rtl"]);
  await box(page).fill("hello");
  await press(page, "Enter");
  const other = page.getByRole("log").getByRole("listitem").filter({ hasText: "hello" });
  await ways(other).toEqual(["rtl", "ltr"]);
});

test("a jump that takes the focused reel away leaves the focus on the one that comes", async ({ page }) => {
  await enter(page, "/c/clip_3", "clip_3");
  for (const [key, channel] of [["End", "wide"], ["Home", "clip_0"]] as const) {
    await active(page).focus();
    await press(page, key);
    await expect(active(page)).toHaveAttribute("data-channel", channel);
    await rests(page);
    await expect(active(page), key).toBeFocused();
  }
});

test("a row of the list that goes away hands the focus to the reel", { tag: "@desktop" }, async ({ page }) => {
  await enter(page, "/c/clip_3", "clip_3");
  await page.locator(".strip-list [aria-current]").focus();
  for (let n = 0; n < 7; n++) await press(page, "ArrowDown");
  await expect(active(page)).toHaveAttribute("data-channel", "clip_10");
  await rests(page);
  await expect.poll(() => page.evaluate(() => document.activeElement?.matches("article, .strip-list a"))).toBe(true);
});

for (const row of [0, 1]) {
  test(`row ${row} of the list keeps the focus that chose it, where others come in before it`, { tag: "@desktop" }, async ({ page }) => {
    await enter(page, "/c/clip_5", "clip_5");
    const link = page.locator(".strip-list li a").nth(row);
    await expect(link).toHaveAttribute("data-number", String(4 + row));
    const chosen = page.locator(`.strip-list [data-key=clip_${3 + row}] a`);
    await link.focus();
    await press(page, "Enter");
    await expect(active(page)).toHaveAttribute("data-channel", `clip_${3 + row}`);
    await expect(page.locator(".strip-list li").first(), "a new first row").toHaveAttribute("data-key", `clip_${1 + row}`);
    await rests(page);
    await expect(chosen).toBeFocused();
    // And by the same way on.
    await press(page, "Tab");
    await expect(page.locator(`.strip-list [data-key=clip_${4 + row}] a`)).toBeFocused();
  });
}

test("a tag that is chosen by key keeps the focus in the guide", async ({ page }) => {
  await enter(page, "/c/clip_3", "clip_3");
  await press(page, "g");
  const guide = page.getByRole("dialog");
  const tag = guide.locator(".tags a").last();
  await tag.focus();
  await press(page, "Enter");
  await expect(guide.locator(".tags a").last()).toHaveAttribute("aria-current", "true");
  await expect(guide.locator(".tags a").last()).toBeFocused();
});
