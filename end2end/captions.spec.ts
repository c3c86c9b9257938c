// Captions: offered where there are any, switched once, in the page's language.
import type { Page } from "@playwright/test";

import { plays, rests } from "./eyes";
import { expect, press, showControls, swipe, test } from "./hands";

const button = (page: Page) => page.getByRole("button", { name: /^(Captions|Subtítulos)$/, includeHidden: true });

test("captions are offered where there are any; switched on they speak in every reel, also next time", async ({ page, guest, house }) => {
  test.setTimeout(60_000);
  const home = await house(["clip_0", "said_1", "said_2"]);
  await page.goto(`${home.url}/c/clip_0`);
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
  await reader.goto(`${home.url}/c/said_1`);
  await plays(reader, "said_1");
  await press(reader, "c");
  await expect(reader.locator(".caption", { hasText: "frase 1" })).toBeVisible();
});
