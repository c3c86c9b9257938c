// From the lift of the finger to the moving picture, ours beside a page of React and Video.js: node reels.mjs STREAMS, a folder
// made by streams.sh. The same channels from the same server, the same flick, the same judge of what is seen.
import { LAN, launch } from "./browser.mjs";
import { firstVisit, sum } from "./bytes.mjs";
import { beside, kB, median, ms, quantile, row, start, times } from "./carrete.mjs";
import { coldOpen, FOUR_G, growthRows, swipeThrough } from "./feed.mjs";
import { startPeer } from "./peer.mjs";

const LINES = [
  { name: "loopback", wait_ms: 3_000, opens: 4, ours: 200, theirs: 50, targets: ["≤ 80 / 130 ms, ≤ 0.25x / 0.35x", "0 / –"] },
  { name: "4G", net: FOUR_G, wait_ms: 8_000, opens: 3, ours: 14, theirs: 14, targets: ["≤ 100 / 600 ms, ≤ 0.25x / 0.35x", "0 / –"] },
];

const peer = await startPeer();
const server = await start(process.argv[2], { CORS_ORIGINS: peer.url });
await server.answers();
const browser = await launch();
const pages = { ours: `${server.url}/`, theirs: peer.showing(server.url) };

const weight = {
  brotli: sum(await firstVisit(browser, pages.ours)),
  gzip: sum(await firstVisit(browser, pages.ours.replace("127.0.0.1", LAN))),
  theirs: sum(await firstVisit(browser, pages.theirs)),
};
beside("before the first picture, without media, gzip", kB(weight.gzip), kB(weight.theirs), times(weight.gzip, weight.theirs), "≤ 360 kB");
beside("before the first picture, without media, brotli", kB(weight.brotli), "–", "–", "≤ 300 kB");

for (const { name, net, wait_ms, opens, targets, ...swipes } of LINES) {
  const cold = { ours: [], theirs: [] };
  for (let n = 0; n < opens; n++) {
    for (const [who, url] of Object.entries(pages)) cold[who].push(await coldOpen(browser, url, net));
  }
  const [ours, theirs] = [median(cold.ours), median(cold.theirs)];
  beside(`${name}: cold open to moving picture, median of ${opens}`, ms(ours), ms(theirs), times(ours, theirs), "≤ 0.5x");

  const seen = {};
  for (const [who, url] of Object.entries(pages)) seen[who] = await swipeThrough(browser, url, { swipes: swipes[who], wait_ms, net });
  swipeRows(name, seen.ours, seen.theirs, targets);
  if (!net) growthRows(seen.ours, seen.theirs);
}
await browser.close();
await server.stop();
await peer.stop();

function swipeRows(name, ours, theirs, [fast, none]) {
  const both = (side, of) => (side.times.length ? of(median(side.times), quantile(side.times, 0.95)) : "none came");
  const time = (side) => both(side, (p50, p95) => `${ms(p50)} / ${ms(p95)}`);
  const ratio = both(ours, (p50, p95) => both(theirs, (a, b) => `${times(p50, a)} / ${times(p95, b)}`));
  const counted = `${ours.swipes} | ${theirs.swipes} swipes`;
  beside(`${name}: swipe to moving picture, p50 / p95, ${counted}`, time(ours), time(theirs), ratio, fast);
  const troubles = (side) => `${side.missed} / ${side.stalls}`;
  beside(`${name}: missed / stalled, ${counted}`, troubles(ours), troubles(theirs), "–", none);
  row(`${name}: most media elements in the document, console messages`, `${ours.most}, ${ours.complaints}`, "1, 0");
}
