// The smoke suite in one engine: node smoke.mjs firefox|webkit. Serves the channels of ../streams.sh on a free port by the release
// build (CARRETE names another program). SHOTS names a folder for a picture of each failure.
import { execFileSync } from "node:child_process";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { start } from "../../bench/carrete.mjs";
import { STEPS, watch, WINDOW } from "./scenario.mjs";

/** Fresh opens that must play: an engine may start well once and hang the next time. */
const OPENS = 5;

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

/** One line for what was tried. */
async function step(what, browser, attempt) {
  const began = Date.now();
  try {
    await attempt(browser);
    console.log(`${engine}: ${what}: fine (${((Date.now() - began) / 1000).toFixed(1)} s)`);
  } catch (error) {
    failed++;
    console.log(`${engine}: ${what}: FAILED: ${error.message}`);
    if (process.env.SHOTS) await browser.picture(join(process.env.SHOTS, `${engine}-${failed}.png`));
  }
}

async function visited(task) {
  const browser = await open(WINDOW);
  try {
    await browser.goto(`${server.url}/?lang=en`);
    await browser.run(watch);
    await task(browser);
  } finally {
    await browser.close();
  }
}

try {
  await server.answers();
  await visited(async (browser) => {
    console.log(`${engine}: ${browser.version}`);
    for (const [what, attempt] of Object.entries(STEPS)) await step(what, browser, attempt);
  });
  const plays = Object.keys(STEPS)[1];
  for (let n = 2; n <= OPENS; n++) await visited((browser) => step(`${plays}, fresh start ${n}`, browser, STEPS[plays]));
} finally {
  await server.stop();
}
process.exit(failed ? 1 : 0);
