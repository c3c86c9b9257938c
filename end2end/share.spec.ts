// Letting others in: the link and the code of the reel on screen.
import { launch } from "./browser";
import { plays, rests } from "./probe";
import { expect, openChat, press, showControls, swipe, test } from "./actions";

test.use({ launchOptions: launch("--host-resolver-rules=MAP carrete.lan 127.0.0.1") });

test("the sheet shows link and code of this reel, and copies on plain http", async ({ page, baseURL, request }) => {
  await page.goto(`${baseURL!.replace("127.0.0.1", "carrete.lan")}/c/clip_1`);
  expect(await page.evaluate(() => isSecureContext)).toBe(false);
  await plays(page, "clip_1");
  await swipe(page);
  await plays(page, "clip_2");
  await rests(page);
  await showControls(page);
  const opener = page.getByRole("button", { name: "Share" });
  await opener.tap();
  const sheet = page.getByRole("dialog", { name: "Share this reel" });
  await expect(sheet).toBeVisible();
  await expect(sheet.getByRole("textbox", { name: "Link" })).toHaveValue(/^http:\/\/[^/]+\/c\/clip_2$/);
  const link_field = sheet.getByRole("textbox", { name: "Link" });
  expect(await link_field.evaluate((e) => Number.parseFloat(getComputedStyle(e).fontSize))).toBeGreaterThanOrEqual(16);
  const code = sheet.locator("img.qr");
  await expect(code).toHaveAttribute("src", "/qr.svg?path=/c/clip_2");
  await expect.poll(() => code.evaluate((image: HTMLImageElement) => image.naturalWidth)).toBeGreaterThan(0);
  const qr = async (path: string) => (await request.get(`/qr.svg?path=${path}`)).text();
  expect(await qr("/c/clip_2")).not.toBe(await qr("/c/clip_1"));
  await sheet.getByRole("button", { name: "Copy the link" }).tap();
  await expect(sheet.getByRole("button", { name: "Copied" })).toBeVisible();
  const link = await sheet.getByRole("textbox", { name: "Link" }).inputValue();
  await plays(page, "clip_2");
  await press(page, "Escape");
  await expect(sheet).toBeHidden();
  await expect(opener).toBeFocused();
  // What was copied can be pasted.
  await openChat(page);
  await page.getByRole("textbox", { name: "Message" }).focus();
  await press(page, "Control+v");
  await expect(page.getByRole("textbox", { name: "Message" })).toHaveValue(link);
});

test("where nobody else reaches the server, that is said instead of a code", async ({ page }) => {
  // Tests are served by 127.0.0.1 alone.
  await page.goto("/c/clip_1");
  await plays(page, "clip_1");
  await page.evaluate(() => Object.defineProperty(navigator, "share", { value: undefined }));
  await showControls(page);
  await page.getByRole("button", { name: "Share" }).tap();
  const sheet = page.getByRole("dialog", { name: "Share this reel" });
  await expect(sheet.getByText("Only this machine can open it. Start with HOST=0.0.0.0")).toBeVisible();
  await expect(sheet.locator("img")).toHaveCount(0);
  await expect(sheet.getByRole("textbox", { name: "Link" })).toHaveValue(/\/c\/clip_1$/);
});
