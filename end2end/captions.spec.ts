// Captions: offered where there are any, switched once, in the page's language.
import type { Page } from "@playwright/test";

import { LONG_MS, plays, rests } from "./probe";
import { expect, press, showControls, swipe, test } from "./actions";

const button = (page: Page) => page.getByRole("button", { name: /^(Captions|Subtítulos)$/, includeHidden: true });

test("captions are offered where there are any; switched on they speak in every reel, also next time", async ({ page, guest, serve }) => {
  test.setTimeout(60_000);
  const server = await serve(["clip_0", "said_1", "said_2"]);
  await page.goto(`${server.url}/c/clip_0`);
  await plays(page, "clip_0");
  await expect(button(page)).toBeHidden();
  await swipe(page);
  await plays(page, "said_1");
  await rests(page);
  await showControls(page);
  await expect(button(page)).toBeVisible();
  await expect(button(page)).toHaveAttribute("aria-pressed", "false");
  const line = (text: string) => page.locator(".caption", { hasText: text });
  await expect(line("line 1")).toBeHidden();
  await press(page, "c");
  await expect(button(page)).toHaveAttribute("aria-pressed", "true");
  await expect(line("line 1")).toBeVisible();
  await expect(line("line 1")).toBeInViewport({ ratio: 1 });
  await swipe(page);
  await plays(page, "said_2");
  await expect(line("line 2")).toBeVisible();
  await page.reload();
  await plays(page, "said_2");
  await expect(line("line 2")).toBeVisible();
  await showControls(page);
  await button(page).tap();
  await expect(button(page)).toHaveAttribute("aria-pressed", "false");
  await expect(line("line 2")).toBeHidden();
  await press(page, "c");
  await press(page, "Home");
  await plays(page, "clip_0");
  await expect(button(page)).toBeHidden();
  await expect(page.locator(".caption")).toBeHidden();

  const reader = await guest({ locale: "es-AR" });
  await reader.goto(`${server.url}/c/said_1`);
  await plays(reader, "said_1");
  await press(reader, "c");
  await expect(reader.locator(".caption", { hasText: "frase 1" })).toBeVisible();
});

test("a caption and \"Tap to hear\" never lie over each other", async ({ page, serve }) => {
  test.setTimeout(60_000);
  const server = await serve(["said_1", "said_2"]);
  await page.goto(`${server.url}/c/said_1`);
  await plays(page, "said_1");
  await press(page, "c");
  await expect(page.locator(".caption", { hasText: "line 1" })).toBeVisible();
  for (const [width, height, channel, key] of [[390, 844, "said_2", "ArrowDown"], [844, 390, "said_1", "ArrowUp"]] as const) {
    await page.setViewportSize({ width, height });
    await rests(page);
    await page.evaluate(overlaps);
    await press(page, key);
    await plays(page, channel);
    await rests(page);
    // With the slate and without it, from the arrival to the rest.
    const room = page.getByRole("main");
    await expect(room).toHaveAttribute("data-slate", "");
    await expect(room).not.toHaveAttribute("data-slate", { timeout: LONG_MS });
    await expect(page.getByRole("button", { name: "Tap to hear" })).toHaveCSS("opacity", "1");
    await expect(page.locator(".caption", { hasText: `line ${channel.slice(-1)}` })).toBeInViewport({ ratio: 1 });
    const both = () => page.evaluate(() => (window as unknown as { both: Both }).both);
    await expect.poll(async () => (await both()).rest, { message: "frames that showed both without the slate" }).toBeGreaterThan(10);
    const { slate, found } = await both();
    expect(slate, "frames that showed both with the slate").toBeGreaterThan(10);
    expect(found, `${width}x${height}`).toEqual([]);
  }
});

/** Frames that showed both, with the slate and at rest, and how they lay over each other. */
type Both = { slate: number; rest: number; found: string[] };

/** Looks, from now on at each animation frame, where both are seen. Runs in the page. */
function overlaps(): void {
  const both: Both = { slate: 0, rest: 0, found: [] };
  Object.assign(window, { both });
  const box = (selector: string) => {
    const element = document.querySelector(selector);
    const shown = element?.checkVisibility({ opacityProperty: true }) && getComputedStyle(element).opacity === "1";
    return shown ? element!.getBoundingClientRect() : undefined;
  };
  const tick = () => {
    const [caption, hear] = [box(".caption span"), box(".hear")];
    if (caption && hear && caption.width > 0) {
      const slate = document.querySelector("main")!.hasAttribute("data-slate");
      both[slate ? "slate" : "rest"]++;
      const across = Math.min(caption.right, hear.right) - Math.max(caption.left, hear.left);
      const down = Math.min(caption.bottom, hear.bottom) - Math.max(caption.top, hear.top);
      const over = `${Math.round(across)}x${Math.round(down)} px, ${slate ? "with" : "without"} the slate`;
      if (across > 0 && down > 0 && !both.found.includes(over)) both.found.push(over);
    }
    requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
}
