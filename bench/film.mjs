// Channels that are made in a moment: a finished playlist of segments with nothing in them that plays.
import { randomFillSync } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const PACKET = 188;

/** A transport stream of about so many bytes: null packets, nowhere the same. */
export function segment(bytes) {
  const packets = Math.ceil(bytes / PACKET);
  const made = randomFillSync(Buffer.alloc(packets * PACKET));
  for (let n = 0; n < packets; n++) made.writeUInt32BE(0x471f_ff10, n * PACKET);
  return made;
}

/** The playlist of segments `playlist0.ts` and so on. */
export function playlist(segments) {
  const lines = Array.from({ length: segments }, (_, n) => `#EXTINF:2,\nplaylist${n}.ts\n`);
  return `#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n${lines.join("")}#EXT-X-ENDLIST\n`;
}

/** Writes a channel. */
export function writeChannel(folder, segments) {
  mkdirSync(folder, { recursive: true });
  segments.forEach((bytes, n) => writeFileSync(join(folder, `playlist${n}.ts`), bytes));
  writeFileSync(join(folder, "playlist.m3u8"), playlist(segments.length));
}
