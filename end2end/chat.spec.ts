// Talking: names, rooms, limits, the log, and what the chat may not cover.
import type { Page } from "@playwright/test";

import { LONG_MS, active, drawn, media, nothingFor, plays, rests } from "./probe";
import { drag, expect, openChat, say, showControls, swipe, test } from "./actions";
import type { TestServer } from "./server";

const CHANNELS = ["clip_0", "clip_1", "clip_2"];
const log = (page: Page) => page.getByRole("log");
const line = (page: Page, text: string) => log(page).getByText(text, { exact: true });
const box = (page: Page) => page.getByRole("textbox", { name: "Message" });
const chatButton = (page: Page) => page.getByRole("button", { name: "Chat" });

async function enter(page: Page, server: TestServer): Promise<void> {
  await page.goto(server.url);
  await plays(page, "clip_0");
}

/** Somebody who talks without a page: `count` messages, as fast as the socket takes them. */
async function flood(page: Page, count: number, prefix: string): Promise<void> {
  await page.evaluate(
    ([count, prefix]) =>
      new Promise<void>((resolve) => {
        const socket = new WebSocket(`ws://${location.host}/ws`);
        let heard = 0;
        socket.onopen = () => {
          socket.send(JSON.stringify({ type: "join", username: `${prefix}er` }));
          for (let n = 1; n <= count; n++) socket.send(JSON.stringify({ type: "chat_message", text: `${prefix} ${n}`, nonce: `${n}` }));
        };
        socket.onmessage = ({ data }: MessageEvent<string>) => {
          heard += (data.match(/"nonce"/g) ?? []).length;
          if (heard >= count) resolve(socket.close());
        };
      }),
    [count, prefix] as const,
  );
}

test("the name is asked at the first message, which waits, and is remembered; both see it at once", { tag: "@smoke" }, async ({ page, guest, serve }) => {
  const server = await serve(CHANNELS);
  const other = await guest();
  for (const person of [page, other]) {
    await enter(person, server);
    await expect(person.getByRole("dialog")).toHaveCount(0);
    await expect(person.getByRole("textbox", { name: "Your name" })).toHaveCount(0);
    await openChat(person);
  }
  await expect(page.getByText("2 watching")).toBeVisible();
  await say(page, "<b>hello</b> & <img src=x onerror=alert(1)>");
  await expect(page.getByRole("textbox", { name: "Your name" })).toBeFocused();
  await expect(other.getByRole("log").getByRole("listitem").filter({ hasText: "hello" })).toHaveCount(0);
  await page.getByRole("textbox", { name: "Your name" }).fill("Ana");
  await page.getByRole("button", { name: "Come in" }).tap();
  await expect(box(page)).toBeFocused();
  for (const person of [page, other]) {
    await expect(line(person, "<b>hello</b> & <img src=x onerror=alert(1)>")).toBeVisible();
    await expect(log(person).getByRole("listitem").filter({ hasText: "Ana" })).toHaveCount(1);
    await expect(log(person).locator("p b, p img")).toHaveCount(0);
  }
  await say(page, "second");
  await expect(line(other, "second")).toBeVisible();
  await page.reload();
  await plays(page, "clip_0");
  await openChat(page);
  await expect(line(page, "second")).toBeVisible();
  await say(page, "third");
  await expect(line(other, "third")).toBeVisible();
  await expect(log(other).getByRole("listitem").filter({ hasText: "Ana" })).toHaveCount(3);
  await other.context().close();
  await expect(page.getByText("1 watching")).toBeVisible();
});

test("\"only this reel\" limits what is shown and what is written; elsewhere it is marked", async ({ page, guest, serve }) => {
  const server = await serve(CHANNELS);
  const [there, beside] = [await guest(), await guest()];
  for (const person of [page, there, beside]) {
    await enter(person, server);
    if (person === beside) {
      await swipe(beside);
      await plays(beside, "clip_1");
      await rests(beside);
    }
    await openChat(person);
  }
  await say(page, "for everyone", "Ana");
  for (const person of [page, there, beside]) await expect(line(person, "for everyone")).toBeVisible();
  await page.getByRole("button", { name: "Only this reel" }).tap();
  await expect(line(page, "for everyone")).toBeHidden();
  // The count is everybody's; who is at this reel stands beside it, by its number.
  await expect(page.getByText("3 watching")).toBeVisible();
  await expect(page.locator(".watching .here")).toHaveText(/^2 at\s+1$/);
  await say(page, "for this reel");
  await expect(line(page, "for this reel")).toBeVisible();
  const marked = log(there).getByRole("listitem").filter({ hasText: "for this reel" });
  await expect(marked).toBeVisible();
  await expect(marked.locator(".room-mark")).toHaveText("1");
  await page.getByRole("button", { name: "Everyone" }).tap();
  await say(page, "again for everyone");
  await expect(line(beside, "again for everyone")).toBeVisible();
  await expect(line(beside, "for this reel")).toHaveCount(0);
  await expect(log(there).getByRole("listitem").filter({ hasText: "again" }).locator(".room-mark")).toBeHidden();
});

test("a message over the rate stays in the box, with the reason", async ({ page, serve }) => {
  test.setTimeout(60_000);
  // A place comes free every eight seconds: a busy machine does not write so slowly.
  const server = await serve(CHANNELS, { CHAT_RATE: "5/40" });
  await enter(page, server);
  await openChat(page);
  await say(page, "message 1", "Ana");
  for (let n = 2; n <= 6; n++) await say(page, `message ${n}`);
  await expect(page.getByRole("status").filter({ hasText: "Too fast" })).toBeVisible();
  await expect(box(page)).toHaveValue("message 6");
  for (let n = 1; n <= 5; n++) await expect(line(page, `message ${n}`)).toHaveCount(1);
  await expect(line(page, "message 6")).toHaveCount(0);
  await expect(page.getByText("Not sent yet")).toHaveCount(0);
  await expect(page.getByRole("status").filter({ hasText: "Too fast" })).toBeHidden({ timeout: 20_000 });
  await box(page).press("Enter");
  await expect(line(page, "message 6")).toBeVisible();
  await expect(box(page)).toHaveValue("");
});

test("the log follows the newest line only while its reader is at the bottom", async ({ page, guest, serve }) => {
  const server = await serve(CHANNELS, { CHAT_RATE: "1000/10" });
  const speaker = await guest();
  await speaker.goto(server.url);
  await enter(page, server);
  await openChat(page);
  const below = () => log(page).evaluate((e) => e.scrollHeight - e.scrollTop - e.clientHeight);
  await flood(speaker, 40, "flood");
  await expect(line(page, "flood 40")).toBeInViewport();
  await expect.poll(below).toBeLessThan(3);
  await log(page).evaluate((e) => (e.scrollTop = 200));
  await drawn(page);
  await flood(speaker, 40, "later");
  await expect(line(page, "later 40")).toBeAttached();
  await nothingFor(300, "the log follows its newest line", () => log(page).evaluate((e) => e.scrollTop), 200);
  await expect(line(page, "later 40")).not.toBeInViewport();
  await log(page).evaluate((e) => (e.scrollTop = e.scrollHeight));
  await drawn(page);
  await flood(speaker, 5, "last");
  await expect(line(page, "last 5")).toBeInViewport();
  // A finger in the open chat scrolls the chat and not the feed.
  const middle = (await log(page).boundingBox())!;
  await drag(page, { x: middle.x + 150, y: middle.y + 60 }, [30, 60, 90, 120, 150, 180], 16);
  await expect.poll(below).toBeGreaterThan(20);
  await expect(active(page)).toHaveAttribute("data-channel", "clip_0");
});

test("closed, the chat counts what is unread, covers no control and lets a swipe through", async ({ page, guest, serve }) => {
  const server = await serve(CHANNELS);
  const speaker = await guest();
  await speaker.goto(server.url);
  await enter(page, server);
  await showControls(page);
  await flood(speaker, 2, "quiet");
  await expect(chatButton(page).first()).toContainText("2");
  const talk = page.locator(".talk .line").last();
  await expect(talk).toContainText("quiet 2");
  expect(await talk.evaluate((e) => getComputedStyle(e).pointerEvents)).toBe("none");
  await showControls(page);
  const covered = await page.evaluate(() =>
    [...document.querySelectorAll(".controls button, .controls [role=slider]")]
      .filter((e) => e.getBoundingClientRect().width > 0)
      .filter((e) => {
        const { x, y, width, height } = e.getBoundingClientRect();
        return !e.contains(document.elementFromPoint(x + width / 2, y + height / 2));
      })
      .map((e) => e.getAttribute("aria-label")),
  );
  expect(covered).toEqual([]);
  const { x, y } = (await talk.boundingBox())!;
  await drag(page, { x: x + 20, y: y + 8 }, [-30, -70, -120, -170, -220, -260]);
  await plays(page, "clip_1");
  await rests(page);
  await openChat(page);
  await expect(line(page, "quiet 2")).toBeVisible();
  await page.getByRole("button", { name: "Close" }).tap();
  await expect(box(page)).toBeHidden();
  await showControls(page);
  await expect(chatButton(page).first()).not.toContainText("2");
  expect(await media(page, (video) => video.paused)).toBe(false);
});

test("on a desktop the chat stands beside the picture", { tag: "@desktop" }, async ({ page, guest, serve }) => {
  const server = await serve(CHANNELS);
  const other = await guest();
  for (const person of [page, other]) await enter(person, server);
  await say(page, "from the desk", "Ana");
  await expect(line(other, "from the desk")).toBeInViewport();
  await expect(page.getByRole("button", { name: "2 watching" })).toBeVisible();
  const [chat, picture] = [(await log(page).boundingBox())!, (await page.locator("video").boundingBox())!];
  expect(chat.x).toBeGreaterThan(picture.x + picture.width);
  await other.context().close();
  await expect(page.getByRole("button", { name: "1 watching" })).toBeVisible();
});

test("beside the picture Enter goes to the text box and opens nothing", { tag: "@desktop" }, async ({ page, serve }) => {
  const server = await serve(CHANNELS);
  await enter(page, server);
  const room = page.getByRole("main");
  // By the key, and by the count of who watches.
  for (const how of ["key", "count"] as const) {
    await page.mouse.move(720, 300);
    await page.mouse.move(720, 310);
    await expect(room).toHaveAttribute("data-controls", "");
    if (how === "key") await page.keyboard.press("Enter");
    else await page.getByRole("button", { name: "1 watching" }).click();
    await expect(box(page)).toBeFocused();
    await expect(room).not.toHaveAttribute("data-chat-open");
    // The controls are gone a moment after the pointer rests.
    await page.mouse.move(720, 320);
    await expect(room).not.toHaveAttribute("data-controls", { timeout: LONG_MS });
    await expect(page.locator(".controls")).toHaveCSS("opacity", "0");
    await expect(box(page)).toBeFocused();
    if (how === "key") await box(page).blur();
  }
  await page.setViewportSize({ width: 390, height: 844 });
  await rests(page);
  await expect(page.getByRole("region", { name: "Chat" })).not.toHaveAttribute("data-open");
  await expect(room).not.toHaveAttribute("data-chat-open");
  await expect(box(page)).not.toBeInViewport();
  await plays(page, "clip_0");
});
