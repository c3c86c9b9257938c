// What two hundred swipes leave behind on both pages: node growth.mjs STREAMS, a folder made by streams.sh. Part `reels` gives
// the other page fewer swipes to save minutes; this part gives both the same.
import { launch } from "./browser.mjs";
import { beside, start } from "./carrete.mjs";
import { growthRows, swipeThrough } from "./feed.mjs";
import { startPeer } from "./peer.mjs";

const SWIPES = 200;

const peer = await startPeer();
const server = await start(process.argv[2], { CORS_ORIGINS: peer.url });
await server.answers();
const browser = await launch();
const ours = await swipeThrough(browser, `${server.url}/`, { swipes: SWIPES, wait_ms: 3_000 });
const theirs = await swipeThrough(browser, peer.showing(server.url), { swipes: SWIPES, wait_ms: 3_000 });
await browser.close();
await server.stop();
await peer.stop();

growthRows(ours, theirs);
const troubles = (side) => `${side.missed} / ${side.stalls}`;
beside(`missed / stalled, ${SWIPES} swipes each`, troubles(ours), troubles(theirs), "–", "0 / –");
