import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { brotliDecompressSync, gunzipSync } from "node:zlib";

const script = fileURLToPath(new URL("precompress.mjs", import.meta.url));

test("text gets both encodings, pictures none, and an unchanged file is taken from the cache", (t) => {
  const work = mkdtempSync(join(tmpdir(), "carrete-precompress-"));
  t.after(() => rmSync(work, { recursive: true }));
  const site = join(work, "site");
  const cache = join(work, "cache");
  mkdirSync(join(site, "pkg"), { recursive: true });
  const css = "body { margin: 0 }\n".repeat(100);
  writeFileSync(join(site, "pkg", "main.css"), css);
  writeFileSync(join(site, "poster.webp"), "not text");

  const run = () => execFileSync(process.execPath, [script, site, cache], { encoding: "utf8" });
  assert.match(run(), /^precompress: 1 files, 2 kB plain, /);
  assert.equal(brotliDecompressSync(readFileSync(join(site, "pkg", "main.css.br"))).toString(), css);
  assert.equal(gunzipSync(readFileSync(join(site, "pkg", "main.css.gz"))).toString(), css);
  assert.equal(existsSync(join(site, "poster.webp.br")), false);

  const kept = readdirSync(cache);
  run();
  assert.deepEqual(readdirSync(cache), kept);
  assert.equal(kept.length, 2);
});

test("no folder is one sentence and exit 2", () => {
  assert.throws(
    () => execFileSync(process.execPath, [script], { stdio: "pipe", encoding: "utf8" }),
    (error) => error.status === 2 && /^precompress: which folder\?/.test(error.stderr),
  );
});
