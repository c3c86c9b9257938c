// Start time, and what an idle server costs: node start.mjs STREAMS, a folder of a hundred channels.
import { setTimeout as sleep } from "node:timers/promises";

import { median, ms, row, start } from "./carrete.mjs";

const STARTS = 10;
const SETTLES_MS = 4_000;
const IDLE_MS = 20_000;

const streams = process.argv[2];
const times = [];
const reels = [];
for (let i = 0; i < STARTS; i++) {
  const server = await start(streams);
  times.push(await server.answers("/"));
  reels.push(await server.answers("/", "data-channel"));
  await server.stop();
}
row(`start to the first 200 on /, median of ${STARTS}`, ms(median(times)), "≤ 200 ms");
row(`start to the first page with a reel, median of ${STARTS}`, ms(median(reels)));

const server = await start(streams);
await server.answers("/");
await sleep(SETTLES_MS);
const before = server.cpu();
await sleep(IDLE_MS);
const used = server.cpu() - before;
row("idle, 100 channels: resident memory", `${server.memory().toFixed(1)} MB`, "≤ 40 MB");
row("idle, 100 channels: processor over 20 s", `${(used / (IDLE_MS / 1000) * 100).toFixed(2)} %`, "0 %");
await server.stop();
