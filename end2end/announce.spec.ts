// What screen readers are read by themselves: sentences, each once, and never a clock.
import type { Page } from "@playwright/test";

import { LONG_MS, nothingFor, plays, rests } from "./probe";
import { expect, openChat, say, test } from "./actions";

/** After five messages a place comes free every eight seconds: a busy machine does not write so slowly. */
const SLOW = { CHAT_RATE: "5/40" };

/** Notes from now on each text of a live region (WAI-ARIA) that changes; the answer tells them. */
async function spoken(page: Page): Promise<() => Promise<string[]>> {
  const said = await page.evaluateHandle(() => {
    const LIVE = "[aria-live]:not([aria-live=off]), [role=status], [role=alert], [role=log], [role=timer], output";
    const said: string[] = [], texts = new Map<Element, string>();
    const note = () => {
      for (const region of document.querySelectorAll(LIVE)) {
        // A space that does not break may be all that differs.
        const text = (region.textContent ?? "").replace(/[ \n]+/g, " ").replace(/^ | $/g, "");
        if (text !== (texts.get(region) ?? "") && text) said.push(text);
        texts.set(region, text);
      }
    };
    note();
    said.length = 0;
    new MutationObserver(note).observe(document, { subtree: true, childList: true, characterData: true, attributes: true });
    return said;
  });
  return () => said.evaluate((said) => [...said]);
}

test("a reel that plays says nothing, with its controls out and without", { tag: "@both" }, async ({ page }) => {
  await page.goto("/c/clip_3");
  await plays(page, "clip_3");
  await rests(page);
  const said = await spoken(page);
  await nothingFor(2_500, "the slate goes, and a second is told each second", said, []);
  await page.locator(".film-edge").focus();
  await nothingFor(2_500, "the controls show, and a second is told each second", said, []);
});

test("a reel that fails says so once, and its countdown is not read", async ({ page, expects, serve }) => {
  expects(/Failed to load resource/);
  const server = await serve(["clip_0", "clip_3"]);
  await page.route("**/streams/clip_3/playlist.m3u8", (route) => route.fulfill({ status: 500 }));
  await page.goto(server.url);
  await plays(page, "clip_0");
  const said = await spoken(page);
  await page.keyboard.press("ArrowDown");
  const alert = page.locator("article[aria-current=true]").getByRole("alert");
  await expect(alert).toBeVisible({ timeout: 20_000 });
  const until = page.locator(".failure .until b");
  const first = await until.textContent();
  await expect.poll(() => until.textContent(), { timeout: LONG_MS }).not.toBe(first);
  const failures = async () => (await said()).filter((text) => text.includes("won’t play")).length;
  await nothingFor(2_000, "the countdown goes on, and is not read", failures, 1);
  const all = await said();
  expect(all.length, all.join("\n")).toBeLessThanOrEqual(2);
  expect(await alert.textContent(), "no seconds in it").not.toMatch(/\d+\s*s\b/);
});

test("a server that is away and one that is too fast for are told in one sentence each", async ({ page, expects, serve }) => {
  test.setTimeout(60_000);
  expects(/WebSocket connection to .* failed|Failed to load resource/);
  const server = await serve(["clip_0"], SLOW);
  await page.goto(server.url);
  await plays(page, "clip_0");
  await openChat(page);
  await say(page, "message 1", "Ana");
  const fast = await spoken(page);
  for (let n = 2; n <= 6; n++) await say(page, `message ${n}`);
  const ring = page.locator(".note .ring");
  await expect(ring).toBeVisible();
  // The ring and the words beside it tell the same time, at every frame for as long as they show.
  const times = await page.evaluateHandle(() => {
    const seen = new Set<string>();
    const look = () => {
      const [ring, words] = [document.querySelector(".note .ring"), document.querySelector(".note p")];
      if (ring?.checkVisibility()) seen.add(`${ring.textContent} ${/in (\d+)\u00a0s/.exec(words?.textContent ?? "")?.[1]}`);
      requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
    return seen;
  });
  await expect(ring).toBeHidden({ timeout: 20_000 });
  const told = await times.evaluate((seen) => [...seen]);
  expect(told.length, "it counts").toBeGreaterThan(2);
  for (const pair of told) expect(pair).toMatch(/^(\d+) \1$/);
  expect((await fast()).filter((text) => text.startsWith("Too fast"))).toHaveLength(1);

  const away = await spoken(page);
  await server.stop("SIGKILL");
  await expect(page.getByText("No connection. I will try again in")).toBeVisible({ timeout: LONG_MS });
  await nothingFor(3_000, "it is tried again, and the seconds until then are counted", away, ["No connection."]);
});

test("who writes on while it is too fast hears that, and two sentences do not run into one", async ({ page, serve }) => {
  const server = await serve(["clip_0"], SLOW);
  await page.goto(server.url);
  await plays(page, "clip_0");
  await openChat(page);
  await say(page, "message 1", "Ana");
  for (let n = 2; n <= 6; n++) await say(page, `message ${n}`);
  const box = page.getByRole("textbox", { name: "Message" });
  await expect(box).toHaveValue("message 6");
  const said = await spoken(page);
  for (const text of ["and another", "and one more"]) {
    await box.pressSequentially(text);
    await box.press("Enter");
  }
  await expect(box).toHaveValue("message 6 and another and one more");
  expect((await said()).filter((text) => text.startsWith("Too fast")).length, "each Enter is answered").toBeGreaterThanOrEqual(1);
});
