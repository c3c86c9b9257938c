// Writes FILE.br and FILE.gz at the best level beside every compressible file: node precompress.mjs SITE [CACHE].
// Phones on a plain-http LAN ask for gzip alone, so both encodings matter. Results are kept in CACHE by content.
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { extname, join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const COMPRESSIBLE = new Set(
  ".css .html .ico .js .json .map .mjs .svg .txt .vtt .wasm .webmanifest .xml".split(" "),
);

const ENCODINGS = {
  br: (bytes) =>
    brotliCompressSync(bytes, {
      params: {
        [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
        [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS,
        [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
      },
    }),
  gz: (bytes) => gzipSync(bytes, { level: constants.Z_BEST_COMPRESSION, memLevel: constants.Z_MAX_MEMLEVEL }),
};

const [site, cache] = process.argv.slice(2);
if (!site) {
  console.error("precompress: which folder? node tools/precompress.mjs SITE [CACHE]");
  process.exit(2);
}
if (cache) mkdirSync(cache, { recursive: true });

let count = 0;
const total = { plain: 0, br: 0, gz: 0 };
for (const entry of readdirSync(site, { recursive: true, withFileTypes: true })) {
  const file = join(entry.parentPath ?? entry.path, entry.name);
  if (!entry.isFile() || !COMPRESSIBLE.has(extname(file))) continue;
  const bytes = readFileSync(file);
  const name = createHash("sha256").update(bytes).digest("hex");
  count += 1;
  total.plain += bytes.length;
  for (const [suffix, encode] of Object.entries(ENCODINGS)) {
    const kept = cache && join(cache, `${name}.${suffix}`);
    if (!kept) {
      writeFileSync(`${file}.${suffix}`, encode(bytes));
    } else {
      if (!existsSync(kept)) {
        writeFileSync(`${kept}.part`, encode(bytes));
        renameSync(`${kept}.part`, kept);
      }
      copyFileSync(kept, `${file}.${suffix}`);
    }
    total[suffix] += readFileSync(`${file}.${suffix}`).length;
  }
}
const kb = (bytes) => `${Math.round(bytes / 1000)} kB`;
console.log(`precompress: ${count} files, ${kb(total.plain)} plain, ${kb(total.br)} brotli, ${kb(total.gz)} gzip`);
