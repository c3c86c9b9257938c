// What a first visit loads before its first picture, by file: node visit.mjs STREAMS SITE.
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

import { LAN, launch } from "./browser.mjs";
import { firstVisit, sum } from "./bytes.mjs";
import { kB, row, start } from "./carrete.mjs";

const [streams, site] = process.argv.slice(2);
const server = await start(streams);
await server.answers();
const browser = await launch();

const brotli = await firstVisit(browser, `${server.url}/`);
const gzip = await firstVisit(browser, `${server.url.replace("127.0.0.1", LAN)}/`);
await browser.close();
await server.stop();

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
row("built: WASM, br / gzip (plain)", built("pkg", /\.wasm$/), "≤ 130 / 165 kB");
row("built: CSS, br / gzip (plain)", built("pkg", /\.css$/), "≤ 10 kB");
row("built: hls.js light, br / gzip (plain)", built("vendor/hls", /^hls\.light\.min\.mjs$/));
row("built: hls.js worker, br / gzip (plain)", built("vendor/hls", /^hls\.worker\.js$/));
