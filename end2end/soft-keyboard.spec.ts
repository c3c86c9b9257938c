// The soft keyboard of a phone. No headless browser has one, so what it does to the visual viewport (CSSOM View) is done here.
import type { Page } from "@playwright/test";

import { plays, settles } from "./probe";
import { expect, openChat, test } from "./actions";

/** What is seen of the page, in CSS pixels; 0 is all of it. */
type Seen = { height?: number; offsetTop?: number; scale?: number };

/** From now on this page's visual viewport is what `see` says. */
async function takeViewport(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const eye = new EventTarget();
    const seen = { height: 0, offsetTop: 0, scale: 1 };
    Object.defineProperties(eye, {
      width: { get: () => innerWidth },
      height: { get: () => seen.height || innerHeight },
      offsetTop: { get: () => seen.offsetTop },
      offsetLeft: { get: () => 0 },
      scale: { get: () => seen.scale },
    });
    Object.defineProperty(window, "visualViewport", { get: () => eye });
    Object.assign(window, {
      see: (next: object) => {
        Object.assign(seen, { height: 0, offsetTop: 0, scale: 1 }, next);
        for (const name of ["resize", "scroll"]) eye.dispatchEvent(new Event(name));
      },
    });
  });
}

const see = (page: Page, seen: Seen) => page.evaluate((seen) => (window as unknown as { see: (seen: Seen) => void }).see(seen), seen);

/** Top and bottom of the first that is shown, in pixels of the page. */
async function edges(page: Page, selector: string): Promise<{ top: number; bottom: number }> {
  const { y, height } = (await page.locator(selector).boundingBox())!;
  return { top: y, bottom: y + height };
}

const BOX = ".composer:not([hidden]) input";
// Phones upright, the smallest among them; one on its side; a tablet that shows the chat as a column.
const SCREENS = [
  { width: 390, height: 844, keyboard: 330 },
  { width: 360, height: 640, keyboard: 300 },
  { width: 320, height: 568, keyboard: 253 },
  { width: 844, height: 390, keyboard: 200 },
  { width: 1366, height: 1024, keyboard: 420 },
];
for (const { width, height, keyboard } of SCREENS) {
  test(`the text box sits on the keyboard at ${width}x${height}, and the picture has the rest`, async ({ guest }) => {
    const page = await guest({ viewport: { width, height }, hasTouch: true, isMobile: true });
    await takeViewport(page);
    await page.goto("/");
    await plays(page, "clip_0");
    if (width < 1180) await openChat(page);
    await page.locator(BOX).focus();
    await settles(page, ".chat");
    const before = await edges(page, BOX);
    const sits = async (seen: Required<Pick<Seen, "height" | "offsetTop">>) => {
      await see(page, seen);
      const end = seen.offsetTop + seen.height;
      await expect.poll(async () => (await edges(page, BOX)).bottom, { message: `box above ${end}` }).toBeLessThanOrEqual(end);
      const box = await edges(page, BOX);
      expect(box.top).toBeGreaterThan(seen.offsetTop);
      expect(end - box.bottom, "and close to it").toBeLessThan(48);
      if (width >= 500) return;
      await settles(page, "[role=feed]");
      const picture = await edges(page, "[role=feed]");
      expect(picture.top).toBeGreaterThanOrEqual(seen.offsetTop - 1);
      expect(picture.bottom - picture.top, "the picture keeps 120").toBeGreaterThanOrEqual(119);
      expect(picture.bottom, "and lies under nothing").toBeLessThanOrEqual((await edges(page, ".chat")).top + 1);
    };
    await sits({ height: height - keyboard, offsetTop: 0 });
    // A browser that has pushed a part of the page up.
    await sits({ height: height - keyboard, offsetTop: Math.round(keyboard / 3) });
    // The keyboard goes.
    await see(page, {});
    await expect.poll(() => edges(page, BOX)).toEqual(before);
    // Two fingers make the page larger, wherever they look at it: that is no keyboard.
    for (const offsetTop of [0, 90, height / 2]) {
      await see(page, { height: height / 2, scale: 2, offsetTop });
      expect(await edges(page, BOX), `pinched, ${offsetTop} from the top`).toEqual(before);
    }
    // With a keyboard over that.
    await see(page, { height: (height - keyboard) / 2, scale: 2, offsetTop: 30 });
    expect((await edges(page, BOX)).bottom).toBeLessThanOrEqual(height - keyboard);
  });
}

test("the name is asked above the keyboard too, and a phone that is turned keeps its box in sight", async ({ guest }) => {
  const page = await guest({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
  await takeViewport(page);
  await page.goto("/");
  await plays(page, "clip_0");
  await openChat(page);
  await page.locator(BOX).fill("hello");
  await see(page, { height: 514 });
  await page.locator(BOX).press("Enter");
  const name = page.getByRole("textbox", { name: "Your name" });
  await expect(name).toBeFocused();
  await expect.poll(async () => (await edges(page, BOX)).bottom).toBeLessThanOrEqual(514);
  await page.setViewportSize({ width: 844, height: 390 });
  await see(page, { height: 190 });
  await expect.poll(async () => (await edges(page, BOX)).bottom).toBeLessThanOrEqual(190);
});
