// One person with two tabs, a server that does not know who speaks, and a connection that is dead without saying so.
import type { Page, WebSocketRoute } from "@playwright/test";

import { LONG_MS, nothingFor, plays } from "./probe";
import { expect, hastens, openChat, say, test } from "./actions";

const line = (page: Page, text: string) => page.getByRole("log").getByText(text, { exact: true });
const box = (page: Page) => page.getByRole("textbox", { name: "Message" });

test("both tabs of a person speak, in turn and at once", async ({ page, context, serve }) => {
  const server = await serve(["clip_0"]);
  const tabs = [page];
  for (let n = 0; n < 2; n++) {
    const tab = tabs[n] ?? (tabs[n] = await context.newPage());
    await tab.goto(server.url);
    await plays(tab, "clip_0");
    await openChat(tab);
  }
  const other = tabs[1]!;
  // The name is asked in one tab only.
  await say(page, "first", "Ana");
  await expect(line(other, "first")).toBeVisible();
  await say(other, "second");
  for (const tab of tabs) await expect(line(tab, "second")).toBeVisible();
  await say(page, "third");
  for (const tab of tabs) await expect(line(tab, "third")).toBeVisible();
  await Promise.all(tabs.map((tab, n) => say(tab, `at once ${n}`)));
  for (const tab of tabs) {
    for (const text of ["first", "second", "third", "at once 0", "at once 1"]) await expect(line(tab, text), text).toHaveCount(1);
    await expect(tab.getByText("Not sent yet")).toHaveCount(0);
    await expect(tab.getByRole("log").getByRole("listitem").filter({ hasText: "Ana" })).toHaveCount(5);
  }
});

test("a server that never learns who speaks is asked a few times, and the text comes back", async ({ page, serve }) => {
  const server = await serve(["clip_0"]);
  const joins: unknown[] = [];
  await page.routeWebSocket(/\/ws/, (socket) => {
    const upstream = socket.connectToServer();
    socket.onMessage((message) => {
      const event = JSON.parse(String(message)) as { type: string; nonce?: string };
      if (event.type === "join") joins.push(event);
      if (event.type !== "chat_message") return upstream.send(message);
      socket.send(JSON.stringify({ type: "error", code: "not_joined", message: "Join first.", nonce: event.nonce }));
    });
  });
  await page.goto(server.url);
  await plays(page, "clip_0");
  await openChat(page);
  await say(page, "hello", "Ana");
  await expect(page.getByRole("status").filter({ hasText: "The server did not take that" })).toBeVisible({ timeout: LONG_MS });
  await expect(box(page)).toHaveValue("hello");
  await expect(page.getByText("Not sent yet")).toHaveCount(0);
  const asked = joins.length;
  expect(asked).toBeLessThanOrEqual(5);
  await nothingFor(1_500, "it is asked once more", () => joins.length, asked);
});

test("a connection that is open and dead is noticed, and what was said on it is said again, once", async ({ page, guest, serve }) => {
  test.setTimeout(60_000);
  const server = await serve(["clip_0"]);
  // The page listens more often whether anybody speaks.
  const hasten = await hastens(page, 5_000, 10);
  let dead = false;
  const opened: WebSocketRoute[] = [];
  const asked: string[] = [];
  await page.routeWebSocket(/\/ws/, (socket) => {
    const upstream = socket.connectToServer(), first = opened.push(socket) === 1;
    socket.onMessage((message) => {
      asked.push(String(message));
      if (!(dead && first)) upstream.send(message);
    });
    upstream.onMessage((message) => {
      if (!(dead && first)) socket.send(message);
    });
  });
  const other = await guest();
  for (const person of [page, other]) {
    await person.goto(server.url);
    await plays(person, "clip_0");
    await openChat(person);
  }
  await say(page, "before", "Ana");
  await expect(line(other, "before")).toBeVisible();
  // A room in which nobody speaks is not dead.
  await hasten(true);
  const pings = () => asked.filter((text) => text.includes("ping")).length;
  await expect.poll(pings, { timeout: LONG_MS, message: "a silent server is asked" }).toBeGreaterThan(1);
  await nothingFor(1_500, "what is silent and answers is taken for dead", () => opened.length, 1);
  dead = true;
  await say(page, "into the void");
  await expect(page.getByText("Not sent yet")).toBeVisible();
  await expect(line(other, "into the void")).toHaveCount(1, { timeout: LONG_MS });
  await expect(page.getByText("Not sent yet")).toHaveCount(0);
  const heard = () => Promise.all([page, other].map((person) => line(person, "into the void").count()));
  await nothingFor(500, "it is said twice", heard, [1, 1]);
});
