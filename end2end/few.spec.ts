// The guide of few reels, the guide that finds nothing, and the guide whose answer is late.
import type { Page } from "@playwright/test";

import { complaints } from "./axe";
import { LONG_MS, plays } from "./probe";
import { expect, press, test } from "./actions";
import type { TestServer } from "./server";

const NINE = Array.from({ length: 9 }, (_, n) => `clip_${n}`);

/** What the sheet looks like. Runs in the page. */
function sheet() {
  const frames = [...document.querySelectorAll(".film-frame[data-channel]")].map((frame) => frame.getBoundingClientRect());
  const next = document.querySelector(".unexposed");
  const film = document.querySelector(".roll ol")!.getBoundingClientRect();
  const box = next?.querySelector(".edge-print")?.getBoundingClientRect();
  return {
    columns: new Set(frames.map((frame) => Math.round(frame.left))).size,
    width: frames[0]!.width,
    bottom: Math.max(...frames.map((frame) => frame.bottom)),
    next: box !== undefined && box.bottom <= film.bottom + 1,
    scrolls: document.documentElement.scrollHeight > innerHeight + 1,
    sideways: document.documentElement.scrollWidth > innerWidth,
  };
}

test.describe("a server of nine", () => {
  let nine: TestServer;
  const open = async (page: Page, width: number, height: number) => {
    await page.setViewportSize({ width, height });
    await page.goto(`${nine.url}/guide?here=clip_3`);
    return page.evaluate(sheet);
  };

  test("is one sheet that fills the page", async ({ guest, serve }) => {
    test.setTimeout(60_000);
    nine = await serve(NINE);
    const page = await guest({ bypassCSP: true });
    for (const [width, height] of [[1440, 900], [1280, 720], [1920, 1080], [2560, 1080]] as const) {
      const seen = await open(page, width, height);
      const size = `${width}x${height}: ${JSON.stringify(seen)}`;
      expect(seen.columns, size).toBeGreaterThanOrEqual(3);
      expect(seen.columns, size).toBeLessThanOrEqual(6);
      expect(seen.scrolls || seen.sideways, size).toBe(false);
      if (height / width > 0.5) expect(seen.bottom / height, size).toBeGreaterThan(0.62);
    }
    const desk = await open(page, 1440, 900);
    expect(desk.columns).toBe(5);
    expect(desk.next, "the tenth frame, which nobody has filmed").toBe(true);
    await expect(page.getByRole("heading", { name: "All there is" })).toBeVisible();
    await expect(page.getByText("1–9 of 9")).toBeVisible();
    await expect(page.locator(".tags, .ruler, .guide-turn")).toHaveCount(0);
    await expect(page.getByRole("link", { name: "Newest" })).toBeVisible();
    await expect(page.getByText("Not filmed yet")).toBeVisible();
    expect(await page.locator(".unexposed :is(a, button)").count()).toBe(0);
    expect(await complaints(page)).toEqual([]);
    // On a phone three columns; nine fill three rows, and there is no tenth frame.
    const phone = await open(page, 390, 844);
    expect([phone.columns, phone.next, phone.sideways]).toEqual([3, false, false]);
    expect(await complaints(page)).toEqual([]);
    // The last row of eight has room for it.
    nine.remove("clip_8");
    const listed = async () => ((await (await fetch(`${nine.url}/api/channels`)).json()) as string[]).length;
    // Only then: a sheet of nine would still ask for the poster that is gone.
    await expect.poll(listed, { timeout: 20_000 }).toBe(8);
    expect((await open(page, 390, 844)).next).toBe(true);
    await page.goto(`${nine.url}/guide?lang=es`);
    await expect(page.getByRole("heading", { name: "Todo lo que hay" })).toBeVisible();
    await page.setViewportSize({ width: 360, height: 640 });
    expect((await page.evaluate(sheet)).sideways).toBe(false);
  });
});

test("a search that finds nothing repeats the question, and offers what is near and less narrow", { tag: "@both" }, async ({ guest }) => {
  const page = await guest({ bypassCSP: true });
  await page.goto("/guide?q=tone+2018");
  await expect(page.getByRole("heading", { name: "Nothing with «tone 2018»" })).toBeVisible();
  await expect(page.getByText("titles, tags and numbers")).toBeVisible();
  const near = page.locator(".film-frame[data-channel]");
  expect(await near.count()).toBe(6);
  await expect(near.first()).toHaveAttribute("data-channel", "tone");
  expect(await complaints(page)).toEqual([]);
  await expect(page.getByRole("searchbox")).toHaveValue("tone 2018");
  const less = page.locator(".nothing ul a");
  await expect(less).toHaveText([/tone\s*1/]);
  expect((await less.boundingBox())!.height).toBeGreaterThanOrEqual(44);
  await less.click();
  await expect(page.locator(".film-frame[data-channel]")).toHaveCount(1);
  // A number that is not there.
  await page.goto("/guide?q=99");
  await expect(page.getByRole("heading", { name: /There is no\s+99/ })).toBeVisible();
  await expect(page.getByText("The strip ends at 13.")).toBeVisible();
  await expect(page.getByText("Not developed")).toBeVisible();
  expect(await complaints(page)).toEqual([]);
  await page.getByRole("link", { name: "Go to the last" }).click();
  await expect(page).toHaveURL(/\/c\/wide$/);
});

test("over the reel too, and what was found is said once, when nobody types any more", { tag: "@desktop" }, async ({ page }) => {
  await page.goto("/c/clip_3");
  await plays(page, "clip_3");
  await press(page, "g");
  const field = page.getByRole("searchbox");
  await expect(field).toBeFocused();
  const said = await page.evaluateHandle(() => {
    const all: string[] = [];
    const region = document.querySelector(".guide-dialog [role=status]")!;
    new MutationObserver(() => all.push(region.textContent ?? "")).observe(region, { childList: true, characterData: true, subtree: true });
    return all;
  });
  await field.pressSequentially("zzzz", { delay: 90 });
  await expect(page.getByRole("heading", { name: "Nothing with «zzzz»" })).toBeVisible();
  await expect.poll(() => said.jsonValue()).toEqual(["Nothing with «zzzz»"]);
  await field.fill("99");
  await page.getByRole("link", { name: "Go to the last" }).click();
  await expect(page.getByRole("dialog")).toBeHidden();
  await plays(page, "wide");
});

test("while its answer is late the guide has a name, says so, and can be left", { tag: "@both" }, async ({ page }) => {
  let answer = () => {};
  const late = new Promise<void>((resolve) => (answer = resolve));
  await page.goto("/c/clip_3");
  await plays(page, "clip_3");
  await page.route("**/guide?*", async (route) => {
    await late;
    await route.continue().catch(() => {});
  });
  await press(page, "g");
  const dialog = page.getByRole("dialog", { name: "Guide" });
  await expect(dialog).toHaveAttribute("aria-busy", "true");
  await expect(dialog.getByText("Fetching the guide…")).toBeVisible();
  await dialog.getByRole("button", { name: "Close" }).click();
  await expect(dialog).toBeHidden();
  await plays(page, "clip_3");
  await press(page, "g");
  await expect(dialog.getByText("Fetching the guide…")).toBeVisible();
  answer();
  await expect(dialog.locator(".film-frame").first()).toBeVisible();
  await expect(dialog).not.toHaveAttribute("aria-busy");
  await expect(dialog, "it keeps its name").toHaveAccessibleName("Guide");
});

test("an answer that never comes blocks nothing for ever", async ({ page, serve, expects }) => {
  test.setTimeout(60_000);
  expects(/Failed to load resource|net::ERR/);
  // The page waits for an answer a fifth as long; that it ends the wait is what is tested.
  await page.addInitScript(() => {
    const { timeout } = AbortSignal;
    AbortSignal.timeout = (ms) => timeout.call(AbortSignal, ms / 5);
  });
  const server = await serve([]);
  for (let n = 1; n <= 60; n++) server.link(`r${n}`, `clip_${n % 11}`);
  await expect.poll(async () => (await (await fetch(`${server.url}/api/channels`)).json()).length, { timeout: 20_000 }).toBe(60);
  await page.goto(server.url);
  await plays(page, "r1");
  let hangs = true;
  await page.route("**/api/fn/channels*", (route) => (hangs ? undefined : route.continue()));
  await press(page, "End");
  const feed = page.getByRole("feed");
  await expect(feed, "a part of the list is on its way").toHaveAttribute("aria-busy", "true");
  hangs = false;
  await expect(feed, "given up").toHaveAttribute("aria-busy", "false", { timeout: LONG_MS });
  await press(page, "End");
  await plays(page, "r60");
});
