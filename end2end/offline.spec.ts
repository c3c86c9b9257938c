// Without a network: what was done meanwhile is made up for when it is back.
import type { Page, WebSocketRoute } from "@playwright/test";

import { LONG_MS, active, media, nothingFor, plays, rests } from "./probe";
import { expect, press, swipe, test } from "./actions";

const like = (page: Page) => page.getByRole("button", { name: "Like", includeHidden: true });

/** The socket of this page: it can be cut, and mended. */
async function cuttable(page: Page): Promise<{ cut: () => Promise<void>; mend: () => void }> {
  const open = new Set<WebSocketRoute>();
  let there = true;
  await page.routeWebSocket(/\/ws/, (socket) => {
    if (!there) return void socket.close();
    socket.connectToServer();
    open.add(socket);
  });
  return {
    cut: async () => {
      there = false;
      await Promise.all([...open].map((socket) => socket.close()));
      open.clear();
    },
    mend: () => (there = true),
  };
}

test("a like made without a network is sent when it is back, and one taken back meanwhile never was", async ({ page, guest, serve }) => {
  test.setTimeout(120_000);
  const server = await serve(["clip_0", "clip_1"]);
  const socket = await cuttable(page);
  const other = await guest();
  for (const person of [page, other]) {
    await person.goto(`${server.url}/c/clip_1`);
    await plays(person, "clip_1");
  }
  const bar = page.getByRole("status").filter({ hasText: "No connection" });
  await socket.cut();
  await expect(bar).toBeVisible({ timeout: 30_000 });
  await press(page, "l");
  await expect(like(page)).toHaveAttribute("aria-pressed", "true");
  await expect(like(page)).toHaveText("1");
  // Of another reel, and taken back: nobody hears of it.
  await press(page, "ArrowUp");
  await plays(page, "clip_0");
  await rests(page);
  await press(page, "l");
  await expect(like(page)).toHaveAttribute("aria-pressed", "true");
  await press(page, "l");
  await expect(like(page)).toHaveAttribute("aria-pressed", "false");
  await nothingFor(500, "somebody hears of it", () => like(other).innerText(), "");
  socket.mend();
  await expect(bar).toBeHidden({ timeout: 40_000 });
  await expect(like(other)).toHaveText("1", { timeout: LONG_MS });
  await expect(like(other)).toHaveAttribute("aria-pressed", "false");
  await press(other, "ArrowUp");
  await plays(other, "clip_0");
  await rests(other);
  await nothingFor(1_000, "the one that was taken back is sent", () => like(other).innerText(), "");
  await expect(like(page)).toHaveText("");
  // It is one's own still, and can be taken back.
  await press(page, "ArrowDown");
  await plays(page, "clip_1");
  await expect(like(page)).toHaveAttribute("aria-pressed", "true");
  await expect(like(page)).toHaveText("1", { timeout: LONG_MS });
  await rests(page);
  await press(other, "ArrowDown");
  await plays(other, "clip_1");
  await expect(like(other)).toHaveText("1", { timeout: LONG_MS });
  await press(page, "l");
  await expect(like(other)).toHaveText("", { timeout: LONG_MS });
});

test("a like made while the server was away is sent when it is back", async ({ page, guest, serve, expects }) => {
  test.setTimeout(120_000);
  expects(/WebSocket connection to .* failed|Failed to load resource/);
  const server = await serve(["clip_0", "clip_1"]);
  const other = await guest();
  for (const person of [page, other]) {
    await person.goto(`${server.url}/c/clip_1`);
    await plays(person, "clip_1");
  }
  await server.stop("SIGKILL");
  const bar = (person: Page) => person.getByRole("status").filter({ hasText: "No connection" });
  await expect(bar(page)).toBeVisible({ timeout: 30_000 });
  await press(page, "l");
  await expect(like(page)).toHaveAttribute("aria-pressed", "true");
  await expect(like(other)).toHaveText("");
  await server.start();
  for (const person of [page, other]) await expect(bar(person)).toBeHidden({ timeout: 40_000 });
  for (const person of [page, other]) await expect(like(person)).toHaveText("1", { timeout: 30_000 });
  await expect(like(page)).toHaveAttribute("aria-pressed", "true");
  await expect(like(other)).toHaveAttribute("aria-pressed", "false");
});

test("a reel that failed is tried again at once when the network is back", async ({ page, context, expects, serve }) => {
  test.setTimeout(120_000);
  expects(/Failed to load resource|WebSocket connection to .* failed/);
  const playlist = "**/streams/clip_3/playlist.m3u8";
  await page.route(playlist, (route) => route.fulfill({ status: 500 }));
  // The last of its list: nothing follows it, so it stays.
  const server = await serve(["clip_2", "clip_3"]);
  await page.goto(`${server.url}/c/clip_3`);
  const told = page.getByRole("alert");
  const seconds = async () => Number(/(\d+)\u00a0s/.exec((await page.locator(".until b").textContent().catch(() => "")) ?? "")?.[1] ?? 0);
  await expect.poll(seconds, { timeout: 30_000, message: "the first pause" }).toBeGreaterThan(0);
  // Each word of a network brings a try at once; each failure a longer pause.
  for (const pause of [8, 16]) {
    await page.evaluate(() => dispatchEvent(new Event("online")));
    await expect.poll(seconds, { timeout: 20_000, message: `longer than ${pause} s` }).toBeGreaterThan(pause);
  }
  expect(await seconds(), "the pause is longer than a wait of this test").toBeGreaterThan(20);
  await page.unroute(playlist);
  await context.setOffline(true);
  await context.setOffline(false);
  await plays(page, "clip_3");
  await expect(told).toBeHidden();
  await rests(page);
  await swipe(page, -1);
  await plays(page, "clip_2");
  await expect(active(page)).toHaveAttribute("data-channel", "clip_2");
});

test("a server that stops says so, the picture plays on, and one hears when it is back", async ({ page, serve, expects }) => {
  test.setTimeout(120_000);
  expects(/WebSocket connection to .* failed|Failed to load resource/);
  const server = await serve(["clip_0", "clip_1"]);
  await page.goto(`${server.url}/c/clip_1`);
  await plays(page, "clip_1");
  await expect.poll(() => media(page, (v) => v.buffered.length > 0 && v.buffered.end(0) > v.duration - 0.3)).toBe(true);
  // The first try to come back follows so soon that what is said before it is noted.
  await page.evaluate(() => {
    const told: string[] = [];
    const note = () => {
      const shown = [...document.querySelectorAll<HTMLElement>(".bar:not([hidden]) p")].map((bar) => bar.innerText.replace(/I will try.*|Trying.*/, "N").replace(/\s/g, " "));
      for (const text of shown) if (told.at(-1) !== text) told.push(text);
    };
    new MutationObserver(note).observe(document.querySelector(".bars")!, { subtree: true, attributeFilter: ["hidden"] });
    Object.assign(window, { told });
  });
  await server.stop("SIGTERM");
  const offline = page.getByText("No connection. I will try again in");
  await expect(offline).toBeVisible({ timeout: 30_000 });
  await expect(offline).toHaveText(/(in\u00a0\d+\u00a0s\.|Trying…)$/);
  const frames = () => page.evaluate(() => window.probe.frames);
  const before = await frames();
  await expect.poll(frames, { timeout: LONG_MS, message: "the picture plays on" }).toBeGreaterThan(before + 48);
  await server.start();
  const back = page.getByText("Back.", { exact: true });
  await expect(back).toBeVisible({ timeout: 40_000 });
  await expect(offline).toBeHidden();
  await expect(back).toBeHidden({ timeout: LONG_MS });
  expect(await page.evaluate(() => (window as unknown as { told: string[] }).told)).toEqual([
    "The server is stopping. This goes on as far as it has come.",
    "No connection. N",
    "Back.",
  ]);
  await plays(page, "clip_1");
  await press(page, "ArrowUp");
  await plays(page, "clip_0");
});
