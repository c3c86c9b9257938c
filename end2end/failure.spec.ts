// What lies over a reel that does not come: it fits where it can, and is swiped over like any other reel.
import type { Page } from "@playwright/test";

import { active, plays, rests } from "./probe";
import { devtools, drag, expect, handRests, press, test } from "./actions";

const panel = (page: Page) => active(page).locator(".failure");
const scrolled = (page: Page) => panel(page).evaluate((e) => [Math.round(e.scrollTop), e.scrollHeight - e.clientHeight] as const);

/** From clip_2 to this reel, whose playlist does not come. */
async function toFailed(page: Page, url: string, channel: string): Promise<void> {
  await page.route(`**/streams/${channel}/playlist.m3u8`, (route) => route.fulfill({ status: 500 }));
  await page.goto(`${url}/c/clip_2`);
  await plays(page, "clip_2");
  await press(page, "ArrowDown");
  await expect(active(page)).toHaveAttribute("data-channel", channel);
  await expect(active(page).getByRole("alert")).toBeVisible({ timeout: 20_000 });
  await rests(page);
}

/** A finger from 60 % of the height, a third of it up (1) or down (-1). */
function finger(page: Page, way: 1 | -1): Promise<void> {
  const { width, height } = page.viewportSize()!;
  const far = Array.from({ length: 8 }, (_, n) => (-way * height * 0.33 * (n + 1)) / 8);
  return drag(page, { x: width / 2, y: height * 0.6 }, far);
}

for (const [width, height] of [[844, 390], [740, 360], [320, 568], [390, 844]] as const) {
  test(`a failed reel is swiped over at ${width}x${height}, wherever the finger goes down`, async ({ guest, serve, expects }) => {
    expects(/Failed to load resource/);
    const server = await serve(["clip_2", "clip_3", "clip_4"]);
    const page = await guest({ viewport: { width, height }, hasTouch: true, isMobile: true });
    await toFailed(page, server.url, "clip_3");
    await finger(page, 1);
    // Long before it is passed by by itself.
    await expect(active(page)).toHaveAttribute("data-channel", "clip_4", { timeout: 1_500 });
    await plays(page, "clip_4");
    await rests(page);
    await finger(page, -1);
    await expect(active(page).getByRole("alert")).toBeVisible({ timeout: 20_000 });
    await rests(page);
    // On its buttons too: they take what does not move.
    const { x, y, width: wide, height: high } = (await active(page).getByRole("button", { name: "Retry" }).boundingBox())!;
    await drag(page, { x: x + wide / 2, y: y + high / 2 }, [20, 50, 80, 110, 140, 170]);
    await expect(active(page)).toHaveAttribute("data-channel", "clip_2", { timeout: 1_500 });
    await plays(page, "clip_2");
  });
}

for (const locale of ["en-US", "es-ES"]) {
  test(`what is said of a failed reel fits on a phone on its side, whatever its title, ${locale}`, async ({ guest, serve, expects }) => {
    test.setTimeout(90_000);
    expects(/Failed to load resource/);
    const server = await serve(["clip_2"]);
    // Of 165 letters.
    server.link("clip_3", "clip_3", `title = "${"A film whose title tells it all ".repeat(6).slice(0, 165)}"\n`);
    server.link("clip_4", "clip_4", `title = "${"And the one that comes after it ".repeat(6).slice(0, 165)}"\n`);
    await expect.poll(async () => (await (await fetch(`${server.url}/api/channels`)).json()).length, { timeout: 20_000 }).toBe(3);
    const page = await guest({ viewport: { width: 844, height: 390 }, hasTouch: true, isMobile: true, locale });
    await toFailed(page, server.url, "clip_3");
    const said: Record<string, unknown> = {};
    for (const [width, height] of [[932, 430], [844, 390], [740, 360], [667, 375], [568, 320], [320, 568], [360, 640]] as const) {
      await page.setViewportSize({ width, height });
      const found = await panel(page).evaluate((e) => {
        const cut = [".retry", ".skip", ".until", "h2", ".why"].filter((selector) => {
          const { top, bottom } = e.querySelector(selector)!.getBoundingClientRect();
          return top < 0 || bottom > innerHeight;
        });
        const title = e.querySelector("h2")!, { lineHeight } = getComputedStyle(title);
        const lines = Math.round(title.clientHeight / Number.parseFloat(lineHeight));
        return { cut, lines, most: innerHeight > 600 ? 3 : 2, more: Math.max(0, e.scrollHeight - e.clientHeight) };
      });
      if (found.cut.length > 0 || found.lines !== found.most || found.more > 0) said[`${width}x${height}`] = found;
    }
    expect(said).toEqual({});
  });
}

/** A window as small as four times the letters make it, and the last reel of its list, which nothing follows. */
const SMALL = { width: 320, height: 256 };

test("what is said of a failed reel scrolls where it must, and hands the finger back at its ends", async ({ guest, serve, expects }) => {
  test.setTimeout(60_000);
  expects(/Failed to load resource/);
  const server = await serve(["clip_2", "clip_3"]);
  const page = await guest({ viewport: SMALL, hasTouch: true, isMobile: true });
  await (await devtools(page)).send("Page.setFontSizes", { fontSizes: { standard: 32 } });
  await toFailed(page, server.url, "clip_3");
  const [, end] = await scrolled(page);
  expect(end).toBeGreaterThan(60);
  const title = await panel(page).locator("h2").evaluate((e) => e.clientHeight / Number.parseFloat(getComputedStyle(e).lineHeight));
  expect(Math.round(title), "its title gives way to nothing").toBe(2);
  for (let n = 0, at = 0; n < 20 && at < end; n++) {
    await finger(page, 1);
    const [now] = await scrolled(page);
    expect(now, "more of it").toBeGreaterThan(at);
    at = now;
    await rests(page);
    await expect(active(page)).toHaveAttribute("data-channel", "clip_3");
  }
  expect((await scrolled(page))[0]).toBeGreaterThanOrEqual(end - 1);
  for (let n = 0; n < 20 && (await scrolled(page))[0] > 0; n++) {
    await finger(page, -1);
    await rests(page);
    await expect(active(page), "one finger does one thing").toHaveAttribute("data-channel", "clip_3");
  }
  await finger(page, -1);
  await expect(active(page)).toHaveAttribute("data-channel", "clip_2");
  await plays(page, "clip_2");
});

test("it hands the wheel back too", { tag: "@desktop" }, async ({ guest, serve, expects }) => {
  test.setTimeout(60_000);
  expects(/Failed to load resource/);
  const server = await serve(["clip_2", "clip_3", "clip_4"]);
  const page = await guest({ viewport: SMALL });
  await (await devtools(page)).send("Page.setFontSizes", { fontSizes: { standard: 32 } });
  await toFailed(page, server.url, "clip_3");
  const [, end] = await scrolled(page);
  expect(end).toBeGreaterThan(60);
  await page.mouse.move(160, 128);
  await page.mouse.wheel(0, 100);
  await expect.poll(async () => (await scrolled(page))[0]).toBeGreaterThan(0);
  await expect(active(page)).toHaveAttribute("data-channel", "clip_3");
  await page.mouse.wheel(0, -1_000);
  await expect.poll(async () => (await scrolled(page))[0]).toBe(0);
  // A wheel that has rested turns anew.
  await handRests(400);
  await page.mouse.wheel(0, -100);
  await expect(active(page)).toHaveAttribute("data-channel", "clip_2", { timeout: 1_500 });
  await plays(page, "clip_2");
});
