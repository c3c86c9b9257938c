// What the edge costs: what it keeps against files of this host, many cold readers at once and hot files from disk against nginx.
// Needs nginx and wrk; the two sides take turns, and what is told is the middle of the rounds.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { beside, median, ms, quantile, start, times } from "./carrete.mjs";
import { segment, writeChannel } from "./film.mjs";
import { crowd, load } from "./load.mjs";
import { startNginx } from "./nginx.mjs";
import { startOrigin } from "./origin.mjs";

const ROUNDS = 5;
const READERS = 500;
const LATE_MS = 100;
/** Two seconds at 2 Mb/s, as our own converts are cut, and ten at 1.5 Mb/s, as the plain command of ffmpeg cuts. */
const SHORT = 500_000;
const LONG = 1_900_000;
/** The one after is fetched ahead: it is not cold any more. */
const COLD_EVERY = 3;

for (const tool of ["nginx", "wrk"]) {
  try {
    execFileSync(tool, ["-v"], { stdio: "ignore" });
  } catch (error) {
    // wrk says its version and fails.
    if (error.code !== "ENOENT") continue;
    console.error(`bench: the part edge needs ${tool}, which is not there: sudo apt-get install -y ${tool}`);
    process.exit(1);
  }
}

const streams = mkdtempSync(join(tmpdir(), "carrete-bench-edge-"));
process.once("exit", () => rmSync(streams, { recursive: true, force: true }));
const [short, long] = [segment(SHORT), segment(LONG)];
writeChannel(join(streams, "short"), [short]);
writeChannel(join(streams, "long"), [long]);
const far = Array.from({ length: ROUNDS * COLD_EVERY + 1 }, () => segment(SHORT));

const origin = await startOrigin(far, LATE_MS);
const nginx = await startNginx(streams, origin.url);
const carrete = await start(streams, {
  VIDEO_ORIGIN: `${origin.url}/far/playlist.m3u8`,
  BUCKET_NAME: "films",
  AWS_ENDPOINT_URL: origin.url,
  AWS_ACCESS_KEY_ID: "bench",
  AWS_SECRET_ACCESS_KEY: "bench",
  SOURCE_REFRESH_S: "3600",
});
for (const id of ["short", "long", "far", "stored"]) await carrete.answers("/api/channels", `"${id}"`);

/** Runs both once a round, each first in every other. */
async function inTurns(ours, theirs) {
  const rounds = [];
  for (let n = 0; n < ROUNDS; n++) {
    const first = n % 2 ? await theirs(n) : await ours(n);
    const second = n % 2 ? await ours(n) : await theirs(n);
    rounds.push(n % 2 ? [second, first] : [first, second]);
  }
  return rounds;
}

/** One row of what came out; the ratio is the middle of those of the rounds. */
function tell(what, rounds, shown, target) {
  const [ours, theirs] = [0, 1].map((side) => median(rounds.map((round) => round[side])));
  beside(what, shown(ours), shown(theirs), times(median(rounds.map(([ours, theirs]) => ours / theirs)), 1), target);
}

const perSecond = (value) => `${Math.round(value)}/s`;
const perGb = (value) => `${value.toFixed(3)} s`;
const field = (rounds, name) => rounds.map((round) => round.map((side) => side[name]));

// Many cold readers at once, of another segment each round.
const requests = [];
const cold = (server, path, warm) => async (n) => {
  const name = `playlist${n * COLD_EVERY}.ts`;
  const before = origin.asked(`/far/${name}`);
  const took = await crowd({ server, path: `${path}/${name}`, bytes: far[n * COLD_EVERY], warm, many: READERS });
  requests.push({ server, asked: origin.asked(`/far/${name}`) - before });
  return took;
};
const crowds = await inTurns(cold(carrete, "/streams/far", "/api/health"), cold(nginx, "/far", "/local/short/playlist.m3u8"));
const most = (server) => quantile(requests.filter((one) => one.server === server).map(({ asked }) => asked), 1);
const what = `${READERS} cold readers of ${SHORT / 1000} kB from ${LATE_MS} ms away`;
beside(`${what}: requests at the origin (nginx proxy_cache, lock)`, most(carrete), most(nginx), times(most(carrete), most(nginx)), "1");
tell(`${what}: until all have it (nginx proxy_cache, lock)`, crowds, ms);

// What is kept, against a file of this host.
const local = () => load({ server: carrete, path: "/streams/short/playlist0.ts", bytes: short });
for (const [id, whose] of [["far", "another server"], ["stored", "a bucket"]]) {
  const rounds = await inTurns(() => load({ server: carrete, path: `/streams/${id}/playlist0.ts`, bytes: far[0] }), local);
  tell(`warm hit of ${whose}, ${SHORT / 1000} kB: requests (a file of this host)`, field(rounds, "per_second"), perSecond, "≥ 0.95x");
}

// Hot files from disk.
for (const [id, bytes, size] of [["short", short, SHORT], ["long", long, LONG]]) {
  const [ours, theirs] = [[carrete, "/streams"], [nginx, "/local"]].map(
    ([server, path]) => () => load({ server, path: `${path}/${id}/playlist0.ts`, bytes }),
  );
  const rounds = await inTurns(ours, theirs);
  const what = `hot segment of ${size / 1000} kB from disk`;
  tell(`${what}: requests (nginx sendfile)`, field(rounds, "per_second"), perSecond, "≥ 1.00x");
  tell(`${what}: processor for a GB (nginx sendfile)`, field(rounds, "per_gb"), perGb, "≤ 1.25x");
}

await carrete.stop();
await nginx.stop();
await origin.stop();
