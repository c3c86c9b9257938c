// What a first visit weighs. Sizes only, no times.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, extname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

import { plays } from "./probe";
import { expect, scales, test } from "./actions";

const SITE = join(dirname(fileURLToPath(import.meta.url)), "..", "target", "site");
/** In brotli, as on https and on this machine; what lan.spec.ts weighs is gzip. */
const FIRST_VISIT = 300_000;
const CSS = 10_000;
const WASM = { br: 130_000, gz: 165_000 };

const files = () => readdirSync(SITE, { recursive: true, encoding: "utf8" }).filter((name) => statSync(join(SITE, name)).isFile());

test("every text file of the site has one compressed copy of each kind beside it", async () => {
  const all = new Set(files());
  const text = [...all].filter((name) => [".js", ".mjs", ".css", ".svg", ".wasm", ".html", ".json", ".txt", ".ts"].includes(extname(name)));
  expect(text.some((name) => name.endsWith(".wasm")) && text.some((name) => name.endsWith(".css"))).toBe(true);
  expect(text.filter((name) => !all.has(`${name}.br`) || !all.has(`${name}.gz`))).toEqual([]);
  const orphans = [...all].filter((name) => /\.(br|gz)$/.test(name) && !all.has(name.slice(0, -3)));
  expect(orphans, "copies of files that are gone").toEqual([]);
  for (const kind of [".wasm", ".css"]) expect(text.filter((name) => name.startsWith("pkg/") && name.endsWith(kind)), `one ${kind}`).toHaveLength(1);
});

test("the stylesheet and the program keep their sizes", async ({}, info) => {
  const bytes = (name: string) => readFileSync(join(SITE, name)).length;
  for (const name of files().filter((name) => name.endsWith(".br"))) {
    info.annotations.push({ type: "brotli bytes", description: `${relative(".", name)}: ${bytes(name)}` });
  }
  const wasm = files().find((name) => name.endsWith(".wasm.br"))!;
  console.log(`WASM: ${bytes(wasm)} bytes brotli, ${bytes(wasm.slice(0, -3))} unpacked`);
  expect(bytes(wasm)).toBeLessThanOrEqual(WASM.br);
  expect(bytes(wasm.replace(/br$/, "gz"))).toBeLessThanOrEqual(WASM.gz);
  expect(bytes(files().find((name) => name.startsWith("pkg/") && name.endsWith(".css.br"))!)).toBeLessThanOrEqual(CSS);
});

test("a first visit without media keeps its budget", async ({ page }) => {
  const weigh = await scales(page);
  await page.goto("/");
  await plays(page, "clip_0");
  expect(await weigh()).toBeLessThanOrEqual(FIRST_VISIT);
});
