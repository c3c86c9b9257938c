// Ten thousand channels: node list.mjs MANY TEN, a folder of ten thousand channels and one of ten.
import { cpSync, renameSync, rmSync } from "node:fs";
import { Agent, get } from "node:http";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";

import WebSocket from "ws";

import { median, ms, quantile, row, start } from "./carrete.mjs";

const ASKED = 30;
const CHANGES = 5;

const [many, ten] = process.argv.slice(2);

const agent = new Agent({ keepAlive: true });

/** Milliseconds to the last byte, which is not unpacked. */
function timed(url, encoding = "identity") {
  const began = performance.now();
  return new Promise((resolve, reject) => {
    const asked = get(url, { agent, headers: { "accept-encoding": encoding } }, (answer) => {
      if (answer.statusCode !== 200) reject(new Error(`${url}: ${answer.statusCode}`));
      answer.resume().once("end", () => resolve(performance.now() - began));
    });
    asked.once("error", reject);
  });
}

async function pages(server) {
  await timed(server.url);
  const times = [];
  for (let i = 0; i < ASKED; i++) times.push(await timed(server.url));
  return median(times);
}

const few = await start(ten);
await few.answers();
const page = await pages(few);
await few.stop();

const server = await start(many);
const scanned = await server.answers("/api/health");
const cold = await timed(`${server.url}/api/videos`);
const warm = [];
const packed = [];
for (let i = 0; i < ASKED; i++) {
  warm.push(await timed(`${server.url}/api/videos`));
  packed.push(await timed(`${server.url}/api/videos`, "br"));
}
const { length } = await (await fetch(`${server.url}/api/videos`)).json();
row(`${length} channels: start to the first list`, ms(scanned));
row(`${length} channels: GET /api/videos, first`, ms(cold), "≤ 20 ms");
row(`${length} channels: GET /api/videos, median of ${ASKED}`, ms(median(warm)), "≤ 20 ms");
row(`${length} channels: the same in brotli`, ms(median(packed)));
row(`${length} channels: first page, against 10 channels`, `${ms(await pages(server))} : ${ms(page)}`, "as fast");

// A folder moved in is told to an open socket. Its name sorts first, so the list's first 500 hold it.
const socket = new WebSocket(`${server.url.replace("http", "ws")}/ws`);
const lists = [];
socket.on("message", (data) => {
  for (const event of [JSON.parse(data)].flat()) if (event.type === "videos") lists.push(event);
});
await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
const told = async (id, there) => {
  const began = performance.now();
  for (;;) {
    const last = lists.at(-1);
    if (last && last.videos.some((media) => media.id === id) === there) return performance.now() - began;
    if (performance.now() - began > 20_000) throw new Error(`${id} was not told within 20 s`);
    await sleep(2);
  }
};
const seen = [];
for (let i = 0; i < CHANGES; i++) {
  const [hidden, shown] = [join(many, `.tmp-0-${i}`), join(many, `0-${i}`)];
  cpSync(join(many, ".one"), hidden, { recursive: true });
  renameSync(hidden, shown);
  seen.push(await told(`0-${i}`, true));
  await sleep(1_200);
  rmSync(shown, { recursive: true });
  seen.push(await told(`0-${i}`, false));
  await sleep(1_200);
}
socket.close();
agent.destroy();
row(`${length} channels: change told to a page, median / worst of ${seen.length}`, `${ms(median(seen))} / ${ms(quantile(seen, 1))}`, "≤ 2000 ms");
row(`${length} channels: resident memory`, `${server.memory().toFixed(1)} MB`);
await server.stop();
