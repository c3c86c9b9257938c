// The guide: a contact sheet of the whole list, with and without a script.
import { cpSync, linkSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import type { Page } from "@playwright/test";

import { complaints } from "./axe";
import { LONG_MS, media, plays } from "./probe";
import { expect, opens, test } from "./actions";
import { MADE, type TestServer } from "./server";

/** More channels that share the files of one, in one order: c0, c1, c2… */
function fill(server: TestServer, count: number, about: (n: number) => string): void {
  const one = join(MADE, "clip_0");
  for (let n = 0; n < count; n++) {
    const part = join(server.streams, `.tmp-c${n}`);
    mkdirSync(part);
    cpSync(join(one, "poster.jpg"), join(part, "poster.jpg"));
    for (const file of readdirSync(one).filter((name) => /^playlist/.test(name))) {
      if (n === 0) cpSync(join(one, file), join(part, file), { preserveTimestamps: true });
      else linkSync(join(server.streams, "c0", file), join(part, file));
    }
    writeFileSync(join(part, "channel.toml"), about(n));
    cpSync(part, join(server.streams, `c${n}`), { recursive: true, preserveTimestamps: true });
  }
}

const titles = (page: Page) => page.locator(".film-frame b").allTextContents();
const numbers = async (page: Page) =>
  (await page.locator(".film-frame .edge-print > span:first-child").allTextContents()).map((text) => text.trim());

/** The sizes in which it is looked at by day, and by night. */
const ALL = [[390, 844], [768, 1024], [844, 390], [1440, 900]] as const;
const SIZES = process.env.FULL ? { light: ALL, dark: ALL } : { light: [ALL[0], ALL[1]], dark: [ALL[2], ALL[3]] };
for (const colorScheme of ["light", "dark"] as const) {
  for (const [width, height] of SIZES[colorScheme]) {
    test(`the guide is accessible and fits at ${width}x${height}, ${colorScheme}`, async ({ guest }) => {
      const page = await guest({ viewport: { width, height }, colorScheme, bypassCSP: true });
      await page.goto("/guide?here=clip_3");
      expect(await complaints(page)).toEqual([]);
      await page.goto("/guide?q=no+such+thing");
      expect(await complaints(page)).toEqual([]);
      expect(await page.evaluate(misfits)).toEqual([]);
      await page.goto("/guide?lang=es");
      expect(await page.evaluate(misfits)).toEqual([]);
    });
  }
}

/** What sticks out sideways, and which link or field is too small for a finger. Runs in the page. */
function misfits(): string[] {
  const found = [];
  if (document.documentElement.scrollWidth > innerWidth) found.push(`${document.documentElement.scrollWidth} px wide`);
  for (const target of document.querySelectorAll("a, button, input:not([type=hidden])")) {
    if (!target.checkVisibility()) continue;
    const { width, height } = target.getBoundingClientRect();
    if (Math.min(width, height) < 43.5) found.push(`${target.outerHTML.slice(0, 80)} is ${width}x${height}`);
  }
  return found;
}

test("without JavaScript one searches, narrows, and opens a reel", async ({ guest }) => {
  const page = await guest({ javaScriptEnabled: false });
  await page.goto("/guide?here=clip_2");
  await expect(page.getByRole("heading", { level: 1, name: "Guide" })).toBeAttached();
  await expect(page.getByRole("listitem").filter({ hasText: "Test reel 0" })).toBeVisible();
  await expect(page.locator('[data-channel="clip_2"] a')).toHaveAttribute("aria-current", "true");
  await page.getByRole("searchbox", { name: "Search" }).fill("TÉST reel 1");
  await page.getByRole("searchbox").press("Enter");
  await expect(page).toHaveURL(/q=T%C3%89ST\+reel\+1.*here=clip_2/);
  expect(await titles(page)).toEqual(["Test reel 1", "Test reel 10"]);
  expect(await numbers(page)).toEqual(["2", "11"]);
  await page.getByRole("link", { name: "#test" }).click();
  await expect(page).toHaveURL(/q=T%C3%89ST%20reel%201&tag=test&here=clip_2/);
  expect(await titles(page)).toEqual(["Test reel 1", "Test reel 10"]);
  await page.getByRole("link", { name: "Music" }).click();
  await expect(page.getByRole("heading", { name: "Nothing with «TÉST reel 1»" })).toBeVisible();
  await page.getByRole("link", { name: "Show all" }).click();
  await expect(page).toHaveURL(/\/guide\?here=clip_2$/);
  await page.getByRole("link", { name: "Music" }).click();
  expect(await titles(page)).toEqual(["A short tone"]);
  await page.getByRole("link", { name: "Close" }).click();
  await expect(page).toHaveURL(/\/c\/clip_2$/);
});

test("an order is remembered, and the strip follows it", async ({ page }) => {
  await page.goto("/guide");
  await page.getByRole("link", { name: "Shuffle" }).click();
  const shuffled = await titles(page);
  expect(shuffled).toHaveLength(13);
  await page.goto("/guide");
  expect(await titles(page)).toEqual(shuffled);
  await opens(page, "/");
  const first = (await page.context().cookies()).find((cookie) => cookie.name === "order");
  expect(first?.value).toMatch(/^shuffle\.\d+$/);
  const active = page.getByRole("feed").locator("article[aria-current=true]");
  await expect(active).toHaveAttribute("aria-posinset", "1");
  await expect(active.getByRole("heading")).toHaveText(shuffled[0]!);
  await expect.poll(() => media(page, (video) => video.currentTime), { timeout: LONG_MS, message: "whichever it is, it plays" }).toBeGreaterThan(0);
  await page.keyboard.press("ArrowDown");
  await expect(active.getByRole("heading")).toHaveText(shuffled[1]!);
  await page.goto("/guide?order=feed");
  expect((await titles(page))[0]).toBe("Test reel 0");
});

test("in another order a new channel takes its place, and the reel on screen plays on", async ({ serve, guest }) => {
  const small = await serve(["clip_2", "clip_3"]);
  const page = await guest();
  await page.goto(`${small.url}/c/clip_3?order=newest`);
  await plays(page, "clip_3");
  const active = page.getByRole("feed").locator("article[aria-current=true]");
  await expect(active).toHaveAttribute("aria-posinset", "1");
  small.add("clip_5");
  await expect(active).toHaveAttribute("aria-setsize", "3");
  await expect(active).toHaveAttribute("aria-posinset", "2");
  await plays(page, "clip_3");
  await page.keyboard.press("Home");
  await plays(page, "clip_5");
});

test("day, night and language are chosen in the guide and hold everywhere", async ({ page }) => {
  await page.goto("/guide?q=reel");
  const scheme = () => page.locator("html").evaluate((html) => getComputedStyle(html).colorScheme);
  expect(await scheme()).toBe("light dark");
  await page.getByRole("link", { name: "Use the light theme" }).click();
  expect(await scheme()).toBe("light");
  await page.getByRole("link", { name: "Use the dark theme" }).click();
  expect(await scheme()).toBe("dark");
  await expect(page).toHaveURL(/q=reel/);
  await page.goto("/");
  expect(await scheme()).toBe("dark");
  await page.goto("/guide?q=reel");
  await page.getByRole("link", { name: "Español" }).click();
  await expect(page.getByRole("heading", { name: "Carrete 1" })).toBeVisible();
  await expect(page).toHaveURL(/q=reel/);
});

test("many channels are rolls of 36, and a page holds two", async ({ serve, guest }) => {
  const large = await serve([]);
  fill(large, 200, (n) => `title = "Reel ${n}"\ntags = ["${n % 2 ? "odd" : "even"}"]\n`);
  const count = async () => ((await (await fetch(`${large.url}/api/channels`)).json()) as string[]).length;
  await expect.poll(count, { timeout: 20_000 }).toBe(200);
  const page = await guest({ javaScriptEnabled: false, viewport: { width: 1440, height: 900 } });
  await page.goto(`${large.url}/guide`);
  await expect(page.locator(".film-frame")).toHaveCount(72);
  await expect(page.locator(".roll[data-src]")).toHaveCount(4);
  await expect(page.getByText("1–36 of 200")).toBeVisible();
  await expect(page.getByRole("navigation", { name: "Rolls" }).first()).toBeVisible();
  await page.getByRole("link", { name: "Rolls after" }).click();
  await expect(page).toHaveURL(/roll=3#roll-3$/);
  expect((await numbers(page))[0]).toBe("73");
  await page.getByRole("link", { name: "Roll 6" }).click();
  await expect(page.locator(".film-frame")).toHaveCount(20);
  await page.goto(`${large.url}/guide?q=199`);
  expect(await titles(page)).toEqual(["Reel 198", "Reel 199"]);
  const roll = await (await fetch(`${large.url}/guide/rolls/2?tag=odd&order=feed`)).text();
  expect(roll.match(/class="film-frame"/g)).toHaveLength(36);
  expect(roll).toContain("Reel 73<");
  expect((await fetch(`${large.url}/guide/rolls/7`)).status).toBe(404);
});

test("a roll is as high before its channels are there as with them", async ({ serve, guest }) => {
  const large = await serve([]);
  fill(large, 120, (n) => `title = "Reel ${n}"\n`);
  const count = async () => ((await (await fetch(`${large.url}/api/channels`)).json()) as string[]).length;
  await expect.poll(count, { timeout: 20_000 }).toBe(120);
  for (const [width, height] of [...ALL, [360, 640], [600, 800], [1920, 1080]] as const) {
    const page = await guest({ viewport: { width, height } });
    await page.goto(`${large.url}/guide`);
    const heights = await page.evaluate(() => {
      document.querySelector<HTMLElement>(".guide")!.dataset.fetches = "";
      return [...document.querySelectorAll(".roll")].slice(0, 3).map((roll) => roll.getBoundingClientRect().height);
    });
    expect(Math.max(...heights) - Math.min(...heights), `${width}x${height}: ${heights}`).toBeLessThan(1);
  }
});
