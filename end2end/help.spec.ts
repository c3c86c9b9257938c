// The keys and their help: single letters can be switched off.
import { media, plays, rests, stays } from "./probe";
import { expect, press, test } from "./actions";

const sound = { name: "Sound", exact: true } as const;

test("? shows the keys; single letters can be switched off, and stay off", { tag: "@desktop" }, async ({ page }) => {
  test.setTimeout(60_000);
  await page.goto("/c/clip_3");
  await plays(page, "clip_3");
  const help = page.getByRole("dialog", { name: "Keyboard" });
  const letters = help.getByRole("switch", { name: /Single-letter keys/ });
  await press(page, "?");
  await expect(help).toBeVisible();
  for (const key of ["M", "L", "C", "F", "G"]) await expect(help.getByText(key, { exact: true })).toBeVisible();
  await expect(letters).toBeChecked();
  await letters.uncheck();
  await press(page, "Escape");
  await expect(help).toBeHidden();
  for (const visit of ["this", "the next"]) {
    for (const key of ["m", "l", "?", "g", "5"]) await press(page, key);
    // A digit waits for the next one before it goes anywhere.
    await stays(page, "clip_3", 1_300);
    expect(await media(page, (video) => video.muted), `${visit} visit`).toBe(true);
    await expect(page.getByRole("button", { name: "Like" })).toHaveAttribute("aria-pressed", "false");
    await expect(page.getByRole("dialog")).toHaveCount(0);
    await press(page, "Space");
    await expect.poll(() => media(page, (video) => video.paused)).toBe(true);
    await press(page, "Space");
    await press(page, "ArrowDown");
    await plays(page, "clip_4");
    await rests(page);
    await press(page, "ArrowUp");
    await plays(page, "clip_3");
    await rests(page);
    if (visit === "this") {
      await page.reload();
      await plays(page, "clip_3");
    }
  }
  await page.getByRole("button", { name: "Keyboard" }).click();
  await expect(letters).not.toBeChecked();
  await letters.check();
  await help.getByRole("button", { name: "Close" }).click();
  await expect(help).toBeHidden();
  await press(page, "m");
  await expect(page.getByRole("button", sound)).toHaveAttribute("aria-pressed", "true");
});

test("digits go to a channel by its number", { tag: "@both" }, async ({ page }) => {
  await page.goto("/c/clip_3");
  await plays(page, "clip_3");
  await press(page, "1");
  await press(page, "1");
  await expect(page.locator(".dialled")).toHaveText("11");
  await plays(page, "clip_10");
  await expect(page.locator(".dialled")).toBeHidden();
  await rests(page);
  await press(page, "2");
  await plays(page, "clip_1");
  await rests(page);
  // While one writes they are digits.
  await press(page, "Enter");
  await page.getByRole("textbox", { name: "Message" }).focus();
  await page.keyboard.type("7");
  await stays(page, "clip_1", 1_300);
});

test("Enter goes to the text box", { tag: "@both" }, async ({ page }) => {
  await page.goto("/c/clip_1");
  await plays(page, "clip_1");
  await press(page, "Enter");
  await expect(page.getByRole("textbox", { name: "Message" })).toBeFocused();
});
