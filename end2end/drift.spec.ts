// Where the height of the window is no whole number, the picture stays in its frame however far one goes. Emulated windows have
// whole heights, so these are real ones.
import { chromium, type Page } from "@playwright/test";

import { launch } from "./browser";
import { drawn, rests } from "./probe";
import { drag, expect, handRests, opens, press, test } from "./actions";

/** How far the reel on screen lies from the middle of the room, in CSS pixels. */
function away(page: Page): Promise<number> {
  return page.evaluate(() => {
    const middle = (selector: string) => {
      const { top, height } = document.querySelector(selector)!.getBoundingClientRect();
      return top + height / 2;
    };
    return middle("article[aria-current]") - middle(".feed");
  });
}

const reelHeight = (page: Page) => page.locator("article[aria-current]").evaluate((article) => article.getBoundingClientRect().height);

/** A real window, `--headless=new` or not at all, of a height that makes a reel no whole number of pixels high. */
async function inWindow([width, height]: readonly [number, number], scale: number, url: string, visit: (page: Page) => Promise<void>) {
  const { args = [], ...rest } = launch();
  const own = ["--headless=new", `--window-size=${width},${height}`, `--force-device-scale-factor=${scale}`];
  const browser = await chromium.launch({ ...rest, headless: false, args: [...args, ...own] });
  try {
    const page = await (await browser.newContext({ viewport: null })).newPage();
    await opens(page, url);
    const session = await page.context().newCDPSession(page);
    const { windowId } = await session.send("Browser.getWindowForTarget");
    for (let more = 1; more <= 8 && Math.abs((await reelHeight(page)) % 1 - 0.5) > 0.35; more++) {
      await session.send("Browser.setWindowBounds", { windowId, bounds: { height: height + more } });
      await expect.poll(() => page.evaluate(() => outerHeight), { message: "the window has its height" }).toBe(height + more);
      await drawn(page);
    }
    expect(Math.abs((await reelHeight(page)) % 1 - 0.5), `a reel of ${await reelHeight(page)} px is no whole number`).toBeLessThan(0.36);
    await visit(page);
  } finally {
    await browser.close();
  }
}

const STEPS = process.env.FULL ? 60 : 36;
for (const [scale, size] of [[1.25, [1240, 901]], [2.625, [1250, 863]], [1.1, [520, 802]]] as const) {
  test(`at ${scale} pixels a pixel in a window of ${size.join("x")} ${STEPS} steps drift by nothing`, { tag: "@desktop" }, async ({ baseURL }) => {
    test.setTimeout(90_000);
    await inWindow(size, scale, baseURL!, async (page) => {
      const found: number[] = [];
      // Twelve down and twelve up, so that steps add up in both ways.
      for (let n = 0; n < STEPS; n++) {
        await press(page, n % 24 < 12 ? "ArrowDown" : "ArrowUp");
        if (n % 12 === 11) {
          await rests(page);
          found.push(await away(page));
        }
      }
      for (const px of found) expect(Math.abs(px), `${found} px`).toBeLessThan(0.1);
    });
  });
}

test("far down a long list the reel still fills its frame, and a hand finds it where it is seen", { tag: "@desktop" }, async ({ serve }) => {
  test.setTimeout(90_000);
  const server = await serve([]);
  for (let n = 1; n <= 70; n++) server.link(`r${n}`, `clip_${n % 11}`);
  await expect.poll(async () => (await (await fetch(`${server.url}/api/channels`)).json()).length, { timeout: 20_000 }).toBe(70);
  await inWindow([1240, 901], 1.25, server.url, async (page) => {
    for (let n = 0; n < 60; n++) {
      await press(page, "ArrowDown");
      if (n % 20 === 19) {
        await rests(page);
        expect(Math.abs(await away(page)), `after ${n + 1} steps`).toBeLessThan(0.1);
      }
    }
    // Taken hold of and let go, it comes back to where it was.
    const { x, y } = await page.evaluate(() => ({ x: innerWidth / 2, y: innerHeight / 2 }));
    await page.mouse.move(x, y);
    await page.mouse.down();
    await page.mouse.move(x, y + 20, { steps: 4 });
    const before = await away(page);
    await page.mouse.move(x, y + 30, { steps: 4 });
    expect((await away(page)) - before, "one to one with the hand").toBeCloseTo(10, 0);
    expect(Math.abs(before - 8), "without a jump where the drag begins").toBeLessThan(1);
    // Held still it has no speed.
    await handRests(200);
    await page.mouse.move(x, y + 12, { steps: 4 });
    await page.mouse.up();
    await rests(page);
    expect(Math.abs(await away(page))).toBeLessThan(0.1);
  });
});
