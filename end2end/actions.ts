// What people do: visit, swipe, pinch, turn a wheel, open the chat. Every page that a test visits must keep its console
// clean, unless the test says what it expects there.
import { expect, test as base, type BrowserContext, type BrowserContextOptions, type CDPSession, type Page } from "@playwright/test";

import { LONG_MS, PROBE } from "./probe";
import { TestServer } from "./server";

type Fixtures = {
  /** Names console lines that this test provokes on purpose. */
  expects: (line: RegExp) => void;
  /** A server of the test's own, with these channels. */
  serve: (channels: string[], env?: Record<string, string>) => Promise<TestServer>;
  /** Another person, with a browser context of their own. */
  guest: (options?: BrowserContextOptions) => Promise<Page>;
  consoles: { watch: (context: BrowserContext) => Promise<void>; expected: RegExp[] };
};

export const test = base.extend<Fixtures>({
  consoles: async ({}, use) => {
    const said: string[] = [], expected: RegExp[] = [];
    const watch = async (context: BrowserContext) => {
      context.on("console", (line) => {
        // A busy machine takes longer than the browser thinks that a preload may wait.
        if (line.text().includes("preloaded using link preload but not used")) return;
        if (["error", "warning"].includes(line.type())) said.push(`${line.type()}: ${line.text()} ${line.location().url}`);
      });
      context.on("weberror", (error) => said.push(`thrown: ${error.error().message}`));
      await context.addInitScript(...PROBE);
    };
    await use({ watch, expected });
    expect(said.filter((line) => !expected.some((e) => e.test(line))), "the console is clean").toEqual([]);
  },
  expects: async ({ consoles }, use) => use((line) => consoles.expected.push(line)),
  serve: async ({}, use) => {
    const servers: TestServer[] = [];
    await use(async (channels, env) => {
      const server = await TestServer.open(channels, env);
      servers.push(server);
      return server;
    });
    await Promise.all(servers.map((server) => server.close()));
  },
  // People leave before servers close: both fixtures below wait for `serve`, and end before it.
  context: async ({ context, consoles, serve: _ }, use) => {
    await consoles.watch(context);
    await use(context);
  },
  guest: async ({ browser, consoles, serve: _ }, use) => {
    const contexts: BrowserContext[] = [];
    await use(async (options) => {
      const context = await browser.newContext(options);
      contexts.push(context);
      await consoles.watch(context);
      return context.newPage();
    });
    await Promise.all(contexts.map((context) => context.close()));
  },
});

export { expect };

declare global {
  interface Window {
    /** Whether the interval of `hastens` runs faster now. */
    fast?: boolean;
  }
}

const sessions = new WeakMap<Page, Promise<CDPSession>>();

/** The page's DevTools session. */
export function devtools(page: Page): Promise<CDPSession> {
  const session = sessions.get(page) ?? page.context().newCDPSession(page);
  sessions.set(page, session);
  return session;
}

/** Opens an address and waits for the hydrated page. Before that a link is the browser's and a key is nobody's: who acts at once
 * opens so, or waits for `plays`, which says it too. */
export async function opens(page: Page, url: string): Promise<void> {
  await page.goto(url);
  await expect(page.getByRole("feed")).toHaveAttribute("data-hydrated", "", { timeout: LONG_MS });
}

/** How much faster an interval of the page runs that is hastened, unless a test says more. */
export const HASTE = 5;

/** Makes an interval of the page, told by its milliseconds, run faster for as long as a test says: that the page has a patience is
 * what is tested, not how long. Before the page is opened. */
export async function hastens(page: Page, ms: number, haste = HASTE): Promise<(fast: boolean) => Promise<void>> {
  await page.addInitScript(([ms, haste]) => {
    const { setInterval } = window;
    window.setInterval = ((task: () => void, each = 0) => {
      if (each !== ms) return setInterval(task, each);
      let n = 0;
      return setInterval(() => (window.fast || ++n % haste! === 0) && task(), ms / haste!);
    }) as typeof window.setInterval;
  }, [ms, haste]);
  return (fast) => page.evaluate((fast) => void (window.fast = fast), fast);
}

type Point = { x: number; y: number };
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** A hand holds still, or takes its time between two movements: a part of the gesture, and no wait for the page. */
export const handRests = (ms: number): Promise<unknown> => pause(ms);

/** After a fling the browser takes a tap for its end; a hand waits so long. */
export const flingEnds = (): Promise<unknown> => pause(700);

/** Puts fingers down, moves them through `steps` and lifts them. Each step holds one point for each finger. */
export async function touch(page: Page, steps: Point[][], stepMs = 11): Promise<void> {
  const session = await devtools(page);
  const send = (type: "touchStart" | "touchMove" | "touchEnd", points: Point[]) =>
    session.send("Input.dispatchTouchEvent", { type, touchPoints: points.map((point, id) => ({ ...point, id })) });
  const [first = [], ...rest] = steps;
  // One finger after the other, as on a real screen.
  for (let n = 1; n <= first.length; n++) await send("touchStart", first.slice(0, n));
  for (const points of rest) {
    await send("touchMove", points);
    await pause(stepMs);
  }
  await send("touchEnd", []);
}

/** One finger from a point through the given distances. */
export function drag(page: Page, from: Point, distances: number[], stepMs?: number): Promise<void> {
  return touch(page, [0, ...distances].map((dy) => [{ x: from.x, y: from.y + dy }]), stepMs);
}

/** A swipe, up for the next reel (1) or down for the one before (-1). */
export async function swipe(page: Page, way: 1 | -1 = 1, { steps = 10, stepMs = 11 } = {}): Promise<void> {
  const { width, height } = page.viewportSize()!;
  const from = { x: width / 2, y: height * (way > 0 ? 0.55 : 0.15) };
  await drag(page, from, Array.from({ length: steps }, (_, n) => (-way * height * 0.4 * (n + 1)) / steps), stepMs);
}

/** Two taps of one finger, as quick as a hand makes them whatever the machine does meanwhile. */
export async function doubleTap(page: Page, { x, y }: Point): Promise<void> {
  const session = await devtools(page);
  const now = Date.now() / 1000;
  const send = (type: "touchStart" | "touchEnd", after: number) =>
    session.send("Input.dispatchTouchEvent", {
      type, touchPoints: type === "touchStart" ? [{ x, y, id: 0 }] : [], timestamp: now + after,
    });
  await Promise.all([send("touchStart", 0), send("touchEnd", 0.04), send("touchStart", 0.16), send("touchEnd", 0.2)]);
}

/** A fling of a trackpad: small deltas that grow for a moment and die away. Each carries the time at which a hand would have
 * made it, so that a busy machine does not break one fling in two. */
export async function fling(page: Page, way: 1 | -1 = 1): Promise<void> {
  const session = await devtools(page);
  const { width, height } = page.viewportSize()!;
  const deltas = [2, 8, 26, 60, 82, ...Array.from({ length: 40 }, (_, n) => 76 * 0.9 ** n)];
  const began = Date.now();
  const sent = [];
  for (const [n, delta] of deltas.entries()) {
    sent.push(
      session.send("Input.dispatchMouseEvent", {
        type: "mouseWheel", x: width / 2, y: height / 2, deltaX: 0, deltaY: way * delta, timestamp: (began + n * 14) / 1000,
      }),
    );
    await pause(14);
  }
  await Promise.all(sent);
}

/** Brings the controls out, if they are not there. */
export async function showControls(page: Page): Promise<void> {
  const room = page.getByRole("main");
  if ((await room.getAttribute("data-controls")) !== null) return;
  const { width, height } = page.viewportSize()!;
  await page.touchscreen.tap(width / 2, height * 0.4);
  await expect(room).toHaveAttribute("data-controls", "");
}

/** Opens the chat of a phone. */
export async function openChat(page: Page): Promise<void> {
  await showControls(page);
  await page.getByRole("button", { name: /^Chat/ }).tap();
  await expect(page.getByRole("textbox", { name: "Message" })).toBeVisible();
}

/** Says something, with a name where that is asked. */
export async function say(page: Page, text: string, name?: string): Promise<void> {
  await page.getByRole("textbox", { name: "Message" }).fill(text);
  await page.getByRole("textbox", { name: "Message" }).press("Enter");
  if (name === undefined) return;
  await page.getByRole("textbox", { name: "Your name" }).fill(name);
  await page.getByRole("button", { name: "Come in" }).click();
}

/** A window in which a desktop's room is drawn quickly: for many steps in a row. */
export const LOW = { width: 1180, height: 480 };

/** Presses a key, as fast as one can. */
export async function press(page: Page, key: string, times = 1): Promise<void> {
  for (let n = 0; n < times; n++) await page.keyboard.press(key);
}

/** Weighs what a page asks for, media apart, workers included. The answer waits until nothing has come for a second, and tells
 * the sum in bytes on the wire. */
export async function scales(page: Page): Promise<() => Promise<number>> {
  const urls = new Map<string, string>(), weights: [string, number][] = [];
  const listen = async (session: CDPSession) => {
    session.on("Network.responseReceived", ({ requestId, response }) => urls.set(requestId, response.url));
    session.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => {
      const url = urls.get(requestId);
      if (url?.startsWith("http") && !url.includes("/streams/")) weights.push([new URL(url).pathname, encodedDataLength]);
    });
    await session.send("Network.enable");
  };
  await listen(await devtools(page));
  return async () => {
    for (let before = -1; before !== weights.length; await pause(1_000)) before = weights.length;
    weights.sort((a, b) => b[1] - a[1]);
    const sum = weights.reduce((all, [, bytes]) => all + bytes, 0);
    const lines = [...weights, ["all", sum] as const].map(([path, bytes]) => `${path}: ${bytes}`);
    console.log(`first visit without media, bytes on the wire:\n  ${lines.join("\n  ")}`);
    expect(weights.some(([path]) => path.endsWith(".wasm")), "the program is in the sum").toBe(true);
    expect(weights.some(([path]) => path.includes("worker")), "the player's worker is in the sum").toBe(true);
    return sum;
  };
}
