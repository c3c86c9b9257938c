// The smoke suite in one engine: node smoke.mjs firefox|webkit. Serves the channels of ../streams.sh on a free port by the release
// build (CARRETE names another program). SHOTS names a folder for a picture of each failure.
import { execFileSync } from "node:child_process";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { start } from "../../bench/carrete.mjs";
import { HIDDEN, REFUSED, STEPS, watch, WINDOW } from "./scenario.mjs";

/** Fresh opens that must play: an engine may start well once and hang the next time. OPENS asks for more. */
const OPENS = Number(process.env.OPENS ?? 3);
/** A step takes some seconds; only a page that hangs takes this long. */
const STEP_MS = 60_000;

const engine = process.argv[2];
if (!["firefox", "webkit"].includes(engine)) {
  console.error("smoke: which engine? smoke.mjs firefox|webkit");
  process.exit(2);
}
const { open } = await import(`./${engine}.mjs`);
const made = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "carrete", "test-streams");
execFileSync(fileURLToPath(new URL("../streams.sh", import.meta.url)), [made], { stdio: ["ignore", 2, 2] });

const server = await start(made);
let failed = 0;

/** One line for what was tried. A page that does not answer any more is a failure too. */
async function step(what, browser, attempt) {
  const began = Date.now();
  try {
    await within(STEP_MS, attempt(browser), "the page does not answer");
    console.log(`${engine}: ${what}: fine (${((Date.now() - began) / 1000).toFixed(1)} s)`);
  } catch (error) {
    failed++;
    console.log(`${engine}: ${what}: FAILED: ${error.message}`);
    if (process.env.SHOTS) await within(STEP_MS, browser.picture(join(process.env.SHOTS, `${engine}-${failed}.png`)), "no picture").catch(() => {});
  }
}

function within(ms, promise, what) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} within ${ms / 1000} s`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** Takes these steps one after the other in a browser of their own. */
async function visited(steps, options) {
  const browser = await open(WINDOW, options);
  try {
    versions.add(browser.version);
    await step(`loads${options?.refuse ? ", playing by itself refused" : ""}`, browser, async () => {
      await browser.goto(`${server.url}/?lang=en`);
      await browser.run(watch);
    });
    for (const [what, attempt] of Object.entries(steps)) await step(what, browser, attempt);
  } finally {
    await browser.close();
  }
}

const versions = new Set();
try {
  await server.answers();
  await visited(STEPS);
  await visited(REFUSED, { refuse: true });
  await visited(HIDDEN);
  const plays = Object.keys(STEPS)[1];
  for (let n = 2; n <= OPENS; n++) await visited({ [`${plays}, fresh start ${n}`]: STEPS[plays] });
  console.log(`${engine}: ${[...versions].join(", ")}`);
} finally {
  await server.stop();
}
process.exit(failed ? 1 : 0);
