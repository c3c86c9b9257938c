// What Lighthouse says of the first page on a phone: performance, accessibility, best practices. Fails below 95, 100 and 100.
// Prints what keeps a figure down. Lighthouse itself is kept in the cache, where tools/install.sh put it; run by `make audit`.
// usage: node tools/lighthouse.mjs [FOLDER], a folder of channels; the demo channels without it.
import { execFile } from "node:child_process";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { median, start } from "../bench/carrete.mjs";

const LEAST = { performance: 95, accessibility: 100, "best-practices": 100 };
/** Performance is a measurement: the middle one of so many counts. */
const RUNS = 3;
const RUN_MS = 120_000;
const REPORT_BYTES = 64 * 1024 * 1024;

const cache = process.env.CARRETE_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "carrete");
const program = join(cache, "lighthouse", "node_modules", ".bin", "lighthouse");
const streams = process.argv[2] ?? fileURLToPath(new URL("../streams", import.meta.url));

const server = await start(streams);
const reports = [];
try {
  await server.answers("/", "data-channel");
  for (let n = 0; n < RUNS; n++) reports.push(await look(`${server.url}/?lang=en`));
} finally {
  await server.stop();
}

let failed = false;
const score = (report, category) => Math.round(report.categories[category].score * 100);
for (const [category, least] of Object.entries(LEAST)) {
  const scores = reports.map((report) => score(report, category));
  const counted = category === "performance" ? median(scores) : Math.min(...scores);
  failed ||= counted < least;
  console.log(`lighthouse: ${category} ${counted} (${scores.join(", ")}), at least ${least}`);
  const report = reports[scores.indexOf(counted)];
  if (category === "performance") console.log(`lighthouse:   ${measures(report)}`);
  if (counted < 100) for (const line of reasons(report, category)) console.log(`lighthouse:   ${line}`);
}
process.exit(failed ? 1 : 0);

/** One report, by a phone that Lighthouse simulates. */
async function look(url) {
  const { stdout } = await promisify(execFile)(
    program,
    [url, "--output=json", "--quiet", `--only-categories=${Object.keys(LEAST).join(",")}`,
      "--chrome-flags=--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run"],
    {
      env: { ...process.env, CHROME_PATH: process.env.CHROMIUM ?? "/usr/bin/chromium" },
      timeout: RUN_MS,
      maxBuffer: REPORT_BYTES,
    },
  );
  const report = JSON.parse(stdout);
  if (report.runtimeError) throw new Error(`lighthouse: ${report.runtimeError.message}`);
  return report;
}

function measures({ audits }) {
  const named = ["first-contentful-paint", "largest-contentful-paint", "total-blocking-time", "cumulative-layout-shift", "speed-index"];
  return named.map((id) => `${audits[id].title} ${audits[id].displayValue}`).join(" · ");
}

/** Each audit that costs points or says why, and the first things it found. */
function* reasons({ categories, audits }, category) {
  for (const { id, weight } of categories[category].auditRefs) {
    const { score, title, displayValue, details, scoreDisplayMode } = audits[id];
    if (score === null || score >= 0.9 || scoreDisplayMode === "informative") continue;
    yield `${id} ${weight ? Math.round(score * 100) : "(no points)"}: ${title}${displayValue ? ` (${displayValue})` : ""}`;
    for (const item of (details?.items ?? []).slice(0, 5)) yield `  ${found(item)}`;
  }
}

function found(item) {
  const node = item.node ?? item;
  const parts = [node.selector, node.explanation, node.snippet, item.url, item.description, item.sourceLocation?.url];
  return parts.filter((part) => typeof part === "string").join(" | ").replace(/\s+/g, " ").slice(0, 400) || JSON.stringify(item).slice(0, 400);
}
