// Everybody hears everybody: node chat.mjs STREAMS. A smoke test of the fan-out, not its limit.
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";

import WebSocket from "ws";

import { quantile, row, start } from "./carrete.mjs";

const SOCKETS = 200;
const SPEAKERS = 20;
const PER_SECOND = 20;
const SECONDS = 10;

const server = await start(process.argv[2], { CHAT_RATE: "1000/10", CHAT_RATE_ADDRESS: "10000/10" });
await server.answers("/api/health");
const empty = server.memory();

const latencies = [];
let refused = 0;
const open = (i) =>
  new Promise((resolve, reject) => {
    const socket = new WebSocket(`${server.url.replace("http", "ws")}/ws`);
    socket.once("error", reject);
    socket.on("message", (data) => {
      for (const event of [JSON.parse(data)].flat()) {
        if (event.type === "chat_message") latencies.push(performance.now() - Number(event.text));
        if (event.type === "error") refused++;
        if (event.type === "joined" || (event.type === "user_count" && i >= SPEAKERS)) resolve(socket);
      }
    });
    socket.once("open", () => i < SPEAKERS && socket.send(JSON.stringify({ type: "join", username: `bench${i}` })));
  });
const sockets = [];
for (let i = 0; i < SOCKETS; i++) sockets.push(await open(i));
await sleep(1_500);
const each = ((server.memory() - empty) * 1000) / SOCKETS;

const cpu = server.cpu();
const began = performance.now();
const messages = PER_SECOND * SECONDS;
for (let n = 0; n < messages; n++) {
  await sleep(Math.max(0, began + (n * 1000) / PER_SECOND - performance.now()));
  sockets[n % SPEAKERS].send(JSON.stringify({ type: "chat_message", text: String(performance.now()), nonce: String(n) }));
}
await sleep(1_000);
const used = server.cpu() - cpu;
for (const socket of sockets) socket.terminate();
await server.stop();

const what = `chat, ${SOCKETS} sockets, ${PER_SECOND} messages/s for ${SECONDS} s`;
const lost = messages * SOCKETS - latencies.length;
row(`${what}: deliveries, lost, refused`, `${Math.round(latencies.length / SECONDS)}/s, ${lost}, ${refused}`, "none lost");
row(`${what}: processor`, `${used.toFixed(2)} s, ${Math.round(latencies.length / Math.max(used, 0.01))} deliveries/s of it`, "≥ 250000 (4x Socket.IO)");
row(`${what}: latency p50 / p99`, `${quantile(latencies, 0.5).toFixed(1)} / ${quantile(latencies, 0.99).toFixed(1)} ms`, "p99 < 100 ms");
row(`${what}: memory of a socket`, `${each.toFixed(1)} kB`, "≤ 15 kB");
