// From the lift of the finger to the moving picture: node reels.mjs STREAMS, a folder made by streams.sh.
// A picture counts when two different frames of the right channel were presented in the middle of the screen; the right one
// is known by the colour of its corner.
import { setTimeout as sleep } from "node:timers/promises";

import { launch, visit } from "./browser.mjs";
import { median, ms, quantile, row, start } from "./carrete.mjs";

/** 9 Mb/s and 85 ms. */
const FOUR_G = { offline: false, latency: 85, downloadThroughput: 9e6 / 8, uploadThroughput: 1.5e6 / 8 };
const RUNS = [
  { name: "loopback", swipes: 45, wait_ms: 3_000, targets: ["p50 ≤ 80, p95 ≤ 130 ms", "≤ 0.5x React + Video.js"] },
  { name: "4G", swipes: 14, wait_ms: 8_000, net: FOUR_G, targets: ["p50 ≤ 100, p95 ≤ 600 ms", "≤ 0.5x React + Video.js"] },
];
/** Swipes in one direction before it turns. */
const LEG = 15;
/** After so many swipes everything that is made once has been made. */
const WARM = 15;
const PAUSE_MS = 450;

/** Runs in the page: notes when the moving picture of another channel is on the screen. */
function observe() {
  const COLOURS = [[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 0], [255, 0, 255], [0, 255, 255]];
  const NEAR = 60;
  const seen = (window.bench = { channel: null, at: 0, first: 0, lift: 0, most: 0, stalls: 0 });
  const corner = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const counts = new WeakMap();
  addEventListener("touchend", () => (seen.lift = performance.now()), { capture: true, passive: true });
  document.addEventListener("waiting", () => seen.stalls++, true);

  const isOf = (video, channel) => {
    const side = video.videoWidth / 16;
    corner.drawImage(video, side / 4, side / 4, side, side, 0, 0, 1, 1);
    const pixel = corner.getImageData(0, 0, 1, 1).data;
    const colour = COLOURS[Number(/\d+$/.exec(channel)) % COLOURS.length];
    return colour.every((value, i) => Math.abs(value - pixel[i]) < NEAR);
  };
  const inTheMiddle = (video) => {
    const { top, bottom } = video.getBoundingClientRect();
    const middle = (top + bottom) / 2;
    return middle > 0 && middle < innerHeight;
  };
  const presented = (video, { mediaTime }) => {
    const count = counts.get(video);
    const channel = video.closest("[data-channel]")?.dataset.channel ?? null;
    if (channel !== count.channel) Object.assign(count, { channel, frames: 0, last: -1 });
    if (mediaTime !== count.last) count.frames++;
    count.last = mediaTime;
    const arrived = channel && channel !== seen.channel && count.frames >= 2;
    if (arrived && inTheMiddle(video) && isOf(video, channel)) {
      seen.channel = channel;
      seen.at = performance.now();
      seen.first ||= seen.at;
    }
  };
  const follow = (video) => {
    counts.set(video, { channel: null, frames: 0, last: -1 });
    const frame = (_, data) => {
      presented(video, data);
      video.requestVideoFrameCallback(frame);
    };
    video.requestVideoFrameCallback(frame);
  };
  const look = () => {
    const videos = document.querySelectorAll("video");
    seen.most = Math.max(seen.most, videos.length);
    for (const video of videos) if (!counts.has(video)) follow(video);
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}

/** A flick of 340 px in 110 ms; up goes on, down goes back. */
async function swipe(devtools, on) {
  const touch = (type, touchPoints) => devtools.send("Input.dispatchTouchEvent", { type, touchPoints });
  const [from, step] = on ? [600, -34] : [240, 34];
  await touch("touchStart", [{ x: 195, y: from }]);
  for (let i = 1; i <= 10; i++) {
    await touch("touchMove", [{ x: 195, y: from + i * step }]);
    await sleep(11);
  }
  await touch("touchEnd", []);
}

async function weigh(devtools) {
  await devtools.send("HeapProfiler.collectGarbage");
  const { metrics } = await devtools.send("Performance.getMetrics");
  const of = (name) => metrics.find((metric) => metric.name === name).value;
  return { heap: of("JSHeapUsedSize"), nodes: of("Nodes"), listeners: of("JSEventListeners") };
}

async function run(browser, url, { name, swipes, wait_ms, net, targets }) {
  const { context, page, devtools } = await visit(browser);
  await devtools.send("Performance.enable");
  if (net) await devtools.send("Network.emulateNetworkConditions", net);
  let complaints = 0;
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && complaints++);
  page.on("pageerror", () => complaints++);
  await page.addInitScript(observe);
  await page.goto(url, { waitUntil: "commit" });
  await page.waitForFunction(() => window.bench?.first, null, { timeout: 30_000, polling: 20 });
  const cold = await page.evaluate(() => window.bench.first);
  await sleep(1_500);

  const times = [];
  let missed = 0;
  let before;
  for (let n = 0; n < swipes; n++) {
    const from = await page.evaluate(() => window.bench.channel);
    await swipe(devtools, Math.floor(n / LEG) % 2 === 0);
    const arrived = page.waitForFunction((from) => window.bench.channel !== from, from, { timeout: wait_ms, polling: 10 });
    if (await arrived.catch(() => undefined)) times.push(await page.evaluate(() => window.bench.at - window.bench.lift));
    else missed++;
    await sleep(PAUSE_MS);
    if (n + 1 === WARM) before = await weigh(devtools);
  }
  const after = await weigh(devtools);
  const { most, stalls } = await page.evaluate(() => window.bench);
  await context.close();

  const p95 = quantile(times, 0.95);
  row(`${name}: swipe to moving picture, ${swipes} swipes, p50 / p95`, times.length ? `${ms(median(times))} / ${ms(p95)}` : "none came", targets[0]);
  row(`${name}: missed, stalls, console messages`, `${missed}, ${stalls}, ${complaints}`, "0 missed, 0 messages");
  row(`${name}: cold open to moving picture`, ms(cold), targets[1]);
  if (before && swipes > WARM) {
    const a = (key, by = 1) => ((after[key] - before[key]) / by / (swipes - WARM)).toFixed(1);
    row(`${name}: growth a swipe: heap, nodes, listeners`, `${a("heap", 1000)} kB, ${a("nodes")}, ${a("listeners")}`, "≤ 10 kB, 0, 0");
    row(`${name}: most media elements in the document`, most, "1");
  }
}

const server = await start(process.argv[2]);
await server.answers();
const browser = await launch();
for (const each of RUNS) await run(browser, `${server.url}/`, each);
await browser.close();
await server.stop();
