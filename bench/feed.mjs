// A visit to a reels page, measured: cold opens, and swipes one after the other.
import { setTimeout as sleep } from "node:timers/promises";

import { visit } from "./browser.mjs";
import { beside, kB } from "./carrete.mjs";
import { observe, swipe, weigh } from "./screen.mjs";

/** 9 Mb/s and 85 ms. */
export const FOUR_G = { offline: false, latency: 85, downloadThroughput: 9e6 / 8, uploadThroughput: 1.5e6 / 8 };

/** Number of the last channel of streams.sh, where the swipes turn round. */
const LAST = 15;
/**
 * After so many swipes everything that is made once has been made. The feed is at the same place again after every 30 more, and
 * holds as many reels around it: 200 and 50 swipes are weighed like with like.
 */
const WARM = 20;
const OPEN_MS = 30_000;
const PAUSE_MS = 450;

/** Opens a page on a line, `net`, with the observer and other `watchers` in it, and waits for its first moving picture. */
export async function open(browser, url, net, ...watchers) {
  const visitor = await visit(browser);
  await visitor.devtools.send("Performance.enable");
  if (net) await visitor.devtools.send("Network.emulateNetworkConditions", net);
  let complaints = 0;
  visitor.page.on("console", (message) => ["error", "warning"].includes(message.type()) && complaints++);
  visitor.page.on("pageerror", () => complaints++);
  for (const watcher of [observe, ...watchers]) await visitor.page.addInitScript(watcher);
  await visitor.page.goto(url, { waitUntil: "commit" });
  await visitor.page.waitForFunction(() => window.bench?.first, null, { timeout: OPEN_MS, polling: 20 });
  return { ...visitor, complaints: () => complaints };
}

/** Milliseconds from the first request of a first visit to a moving picture. */
export async function coldOpen(browser, url, net) {
  const { context, page } = await open(browser, url, net);
  const first = await page.evaluate(() => window.bench.first);
  await context.close();
  return first;
}

/**
 * Swipes through the feed. `times` are milliseconds from the lift of the finger to the moving picture; a swipe without one
 * within `wait_ms` is missed. Growth is told by swipe, over those after the first twenty.
 */
export async function swipeThrough(browser, url, { swipes, wait_ms, net }) {
  const { context, page, devtools, complaints } = await open(browser, url, net);
  await sleep(1_500);
  const times = [];
  let missed = 0;
  let before;
  let on = true;
  for (let n = 0; n < swipes; n++) {
    const from = await page.evaluate(() => window.bench.channel);
    const place = Number(/\d+$/.exec(from));
    // A swipe that was missed must not make one at an end of the feed, where none can come.
    on = place === LAST ? false : place === 0 ? true : on;
    await swipe(devtools, on);
    const arrived = page.waitForFunction((from) => window.bench.channel !== from, from, { timeout: wait_ms, polling: 10 });
    if (await arrived.catch(() => undefined)) times.push(await page.evaluate(() => window.bench.at - window.bench.lift));
    else missed++;
    await sleep(PAUSE_MS);
    if (n + 1 === WARM) before = await weigh(devtools);
  }
  const after = await weigh(devtools);
  const { most, stalls } = await page.evaluate(() => window.bench);
  await context.close();
  const grown = (key) => (before && swipes > WARM ? (after[key] - before[key]) / (swipes - WARM) : undefined);
  const growth = { heap: grown("heap"), nodes: grown("nodes"), listeners: grown("listeners") };
  return { swipes, times, missed, stalls, most, complaints: complaints(), growth };
}

/** The rows of what two visits have grown by. */
export function growthRows(ours, theirs) {
  const told = ({ growth: { heap, nodes, listeners } }) => `${kB(heap)}, ${nodes.toFixed(1)}, ${listeners.toFixed(1)}`;
  const counted = `${ours.swipes} | ${theirs.swipes} swipes`;
  beside(`growth a swipe: heap, nodes, listeners, ${counted}`, told(ours), told(theirs), "–", "≤ 10 kB, 0, 0");
}
