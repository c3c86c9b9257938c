// What a first visit loads before its first picture, by file: node visit.mjs STREAMS SITE.
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

import { LAN, launch, visit } from "./browser.mjs";
import { kB, row, start } from "./carrete.mjs";

const [streams, site] = process.argv.slice(2);
const server = await start(streams);
await server.answers();
const browser = await launch();

/** Bytes on the wire by file, headers included, until a picture moves; streams and posters left out. */
async function bytes(url) {
  const { context, page, devtools } = await visit(browser);
  const asked = new Map();
  const loaded = new Map();
  devtools.on("Network.responseReceived", ({ requestId, response }) => asked.set(requestId, new URL(response.url).pathname));
  devtools.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => {
    const path = asked.get(requestId);
    if (path && !path.startsWith("/streams/")) loaded.set(path, (loaded.get(path) ?? 0) + encodedDataLength);
  });
  await page.goto(url, { waitUntil: "commit" });
  await page.waitForFunction(() => document.querySelector("video")?.currentTime > 0, null, { timeout: 30_000, polling: 20 });
  await context.close();
  return loaded;
}

const brotli = await bytes(`${server.url}/`);
const gzip = await bytes(`${server.url.replace("127.0.0.1", LAN)}/`);
await browser.close();
await server.stop();

const sum = (loaded) => [...loaded.values()].reduce((a, b) => a + b, 0);
const both = (a, b) => `${kB(a)} / ${kB(b)}`;
row("first visit before the first picture, br / gzip", both(sum(brotli), sum(gzip)), "≤ 300 / 360 kB");
for (const [path, size] of [...brotli].sort((a, b) => b[1] - a[1])) {
  const name = path.replace(/^\/pkg\/(\w+)\..*\.(\w+)$/, "/pkg/$1.$2");
  row(`  ${name}`, both(size, gzip.get(path) ?? 0));
}

const built = (folder, pattern) => {
  const name = readdirSync(join(site, folder)).find((file) => pattern.test(file));
  const size = (end) => statSync(join(site, folder, name + end)).size;
  return `${both(size(".br"), size(".gz"))} (${kB(size(""))})`;
};
row("built: WASM, br / gzip (plain)", built("pkg", /\.wasm$/), "≤ 120 / 150 kB");
row("built: CSS, br / gzip (plain)", built("pkg", /\.css$/), "≤ 10 kB");
row("built: hls.js light, br / gzip (plain)", built("vendor/hls", /^hls\.light\.min\.mjs$/));
row("built: hls.js worker, br / gzip (plain)", built("vendor/hls", /^hls\.worker\.js$/));
