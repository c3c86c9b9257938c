// What a first visit weighs. Sizes only, no times.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, extname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

import { plays } from "./eyes";
import { devtools, expect, test } from "./hands";

const SITE = join(dirname(fileURLToPath(import.meta.url)), "..", "target", "site");
const FIRST_VISIT = 360_000;
const CSS = 10_000;

const files = () => readdirSync(SITE, { recursive: true, encoding: "utf8" }).filter((name) => statSync(join(SITE, name)).isFile());

test("every text file of the site has one compressed copy of each kind beside it", async () => {
  const all = new Set(files());
  const text = [...all].filter((name) => [".js", ".mjs", ".css", ".svg", ".wasm", ".html", ".json", ".txt", ".ts"].includes(extname(name)));
  expect(text.some((name) => name.endsWith(".wasm")) && text.some((name) => name.endsWith(".css"))).toBe(true);
  expect(text.filter((name) => !all.has(`${name}.br`) || !all.has(`${name}.gz`))).toEqual([]);
  const orphans = [...all].filter((name) => /\.(br|gz)$/.test(name) && !all.has(name.slice(0, -3)));
  expect(orphans, "copies of files that are gone").toEqual([]);
  for (const kind of [".wasm", ".css"]) expect(text.filter((name) => name.endsWith(kind)), `one ${kind}`).toHaveLength(1);
});

test("the stylesheet and the program keep their sizes", async ({}, info) => {
  const bytes = (name: string) => readFileSync(join(SITE, name)).length;
  for (const name of files().filter((name) => name.endsWith(".br"))) {
    info.annotations.push({ type: "brotli bytes", description: `${relative(".", name)}: ${bytes(name)}` });
  }
  const wasm = files().find((name) => name.endsWith(".wasm.br"))!;
  console.log(`WASM: ${bytes(wasm)} bytes brotli, ${bytes(wasm.slice(0, -3))} unpacked`);
  expect(bytes(files().find((name) => name.endsWith(".css.br"))!)).toBeLessThanOrEqual(CSS);
});

test("a first visit without media keeps its budget", async ({ page }, info) => {
  const session = await devtools(page);
  await session.send("Network.enable");
  const urls = new Map<string, string>(), weights: [string, number][] = [];
  session.on("Network.responseReceived", ({ requestId, response }) => urls.set(requestId, response.url));
  session.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => {
    const url = urls.get(requestId);
    if (url?.startsWith("http") && !url.includes("/streams/")) weights.push([new URL(url).pathname, encodedDataLength]);
  });
  await page.goto("/");
  await plays(page, "clip_0");
  await page.waitForTimeout(1_000);
  weights.sort((a, b) => b[1] - a[1]);
  const sum = weights.reduce((all, [, bytes]) => all + bytes, 0);
  const lines = [...weights, ["all", sum] as const].map(([path, bytes]) => `${path}: ${bytes}`);
  for (const description of lines) info.annotations.push({ type: "first visit", description });
  console.log(`first visit without media, bytes on the wire:\n  ${lines.join("\n  ")}`);
  expect(weights.some(([path]) => path.endsWith(".wasm")), "the program is in the sum").toBe(true);
  expect(sum).toBeLessThanOrEqual(FIRST_VISIT);
});
