// Where the time of a cold open goes: node cold.mjs STREAMS [OPENS], a folder made by streams.sh. Both pages are opened in turn,
// so that a machine which is busy for a moment is so for both. Each stage is told as when it began and ended after the first
// request, of the visit that took the middle time; the last row says how far the stages overlapped, and the middle times.
import { launch } from "./browser.mjs";
import { beside, start, times } from "./carrete.mjs";
import { FOUR_G, open } from "./feed.mjs";
import { startPeer } from "./peer.mjs";

const OPENS = Number(process.argv[3] ?? 7);
const SEGMENT_MS = 20_000;
const LINES = [{ name: "loopback" }, { name: "4G", net: FOUR_G }];

/** Stages that are one file each: its name, and whose address it is. */
const FILES = {
  "style (ours is in the HTML)": /\.css$/,
  "module that plays first": /\/early\.mjs$/,
  "script": /\/pkg\/[^/]+\.js$|\/main\.js$/,
  "WASM": /\.wasm$/,
  "hls.js (theirs is in the script)": /\/vendor\/hls\/[^/]+\.mjs$/,
  "worker of hls.js": /\/vendor\/hls\/[^/]+worker\.js$/,
  "list of channels (ours is in the HTML)": /\/api\/channels$/,
  "playlist": /\.m3u8$/,
  "first segment": /\.(?:ts|m4s|mp4)$/,
};

/** Runs in the page: notes when the media element comes, and when it has something to show. */
function notice() {
  const noted = (window.cold = {});
  const note = (name) => (noted[name] ??= performance.now());
  new MutationObserver((_, observer) => {
    if (!document.querySelector("video")) return;
    note("element");
    observer.disconnect();
  }).observe(document, { childList: true, subtree: true });
  document.addEventListener("loadeddata", () => note("decoded"), true);
  new MutationObserver((_, observer) => {
    if (!document.querySelector("[data-hydrated]")) return;
    note("hydrated");
    observer.disconnect();
  }).observe(document, { attributeFilter: ["data-hydrated"], attributes: true, childList: true, subtree: true });
  const { instantiateStreaming } = WebAssembly;
  WebAssembly.instantiateStreaming = async (...args) => {
    const made = await instantiateStreaming.apply(WebAssembly, args);
    note("compiled");
    return made;
  };
}

/** Runs in the page: a file is in the list once its last byte has come. */
const holds = (address) => performance.getEntriesByType("resource").some(({ name }) => new RegExp(address).test(new URL(name).pathname));

/** Runs in the page: every file with its times, and what was noticed. */
function tell() {
  const [{ responseEnd, requestStart }] = performance.getEntriesByType("navigation");
  const files = performance.getEntriesByType("resource").map(({ name, startTime, responseEnd }) => [name, startTime, responseEnd]);
  const marks = performance.getEntriesByType("mark").map(({ name, startTime }) => [name, startTime]);
  return { html: [requestStart, responseEnd], files, marks, noted: window.cold, first: window.bench.first };
}

/** The stages of one visit, in their order: name to [from, to]. */
function stages({ html, files, marks, noted, first }) {
  const found = new Map([["HTML", html]]);
  for (const [stage, address] of Object.entries(FILES)) {
    const file = files.find(([name]) => address.test(new URL(name).pathname));
    // Chromium lets a worker's file end before it begins.
    if (file) found.set(stage, [file[1], Math.max(file[1], file[2])]);
  }
  const [, loaded] = found.get("WASM") ?? found.get("script") ?? html;
  if (noted.compiled) found.set("compiling the WASM after its last byte", [loaded, Math.max(loaded, noted.compiled)]);
  if (noted.hydrated) found.set("hydrated, after waiting for the picture", [Math.max(loaded, noted.compiled ?? 0), noted.hydrated]);
  // Ours waits for no program, theirs is made by it.
  const runs = found.get("module that plays first")?.[1] ?? loaded;
  found.set("running, until a media element is there", [Math.min(runs, noted.element), noted.element]);
  // A segment that is played as it comes has not ended when its first picture is there.
  const segment = found.get("first segment");
  const decoded = noted.decoded ?? first;
  segment[1] = Math.min(segment[1], decoded);
  found.set("first picture decoded, after what it needs of the segment", [segment[1], decoded]);
  found.set("two frames presented, after that", [decoded, first]);
  for (const [name, at] of marks) found.set(`mark ${name}`, [at, at]);
  return found;
}

/** Milliseconds in which at least one stage ran. */
function covered(spans) {
  let [sum, end] = [0, 0];
  for (const [from, to] of [...spans].sort(([a], [b]) => a - b)) {
    sum += Math.max(0, to - Math.max(from, end));
    end = Math.max(end, to);
  }
  return sum;
}

async function visited(browser, url, net) {
  const { context, page } = await open(browser, url, net, notice);
  await page.waitForFunction(holds, FILES["first segment"].source, { timeout: SEGMENT_MS });
  if (await page.evaluate(() => document.querySelector("[role=feed]") !== null)) {
    await page.waitForFunction(() => window.cold.hydrated, null, { timeout: SEGMENT_MS });
  }
  const told = await page.evaluate(tell);
  await context.close();
  return told;
}

function middle(visits) {
  const { first, ...told } = visits.sort((a, b) => a.first - b.first)[Math.floor(visits.length / 2)];
  return { first, stages: stages({ first, ...told }) };
}

const peer = await startPeer();
const server = await start(process.argv[2], { CORS_ORIGINS: peer.url });
await server.answers();
const browser = await launch();
for (const { name, net } of LINES) {
  const visits = { ours: [], theirs: [] };
  for (let n = 0; n < OPENS; n++) {
    visits.ours.push(await visited(browser, `${server.url}/`, net));
    visits.theirs.push(await visited(browser, peer.showing(server.url), net));
  }
  const [ours, theirs] = [middle(visits.ours), middle(visits.theirs)];
  const span = (side, stage) => {
    const [from, to] = side.stages.get(stage) ?? [];
    return from === undefined ? "–" : `${Math.round(from)}–${Math.round(to)} ms`;
  };
  for (const stage of new Set([...ours.stages.keys(), ...theirs.stages.keys()])) {
    beside(`cold, ${name}: ${stage}`, span(ours, stage), span(theirs, stage), "–");
  }
  const overlap = ({ stages, first }) => {
    const spans = [...stages.values()];
    const sum = spans.reduce((total, [from, to]) => total + to - from, 0);
    return `${Math.round(sum)} in ${Math.round(first)} ms, ${Math.round(first - covered(spans))} idle`;
  };
  beside(`cold, ${name}: all stages, in the time of the open`, overlap(ours), overlap(theirs), times(ours.first, theirs.first), net ? "≤ 0.3x" : "≤ 0.5x");
}
await browser.close();
await server.stop();
await peer.stop();
