import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const script = fileURLToPath(new URL("shorten.mjs", import.meta.url));

const name = (text) => [text.length, ...Buffer.from(text)];
const section = (id, ...bytes) => [id, bytes.length, ...bytes];

/** A module that imports `glue` functions without arguments and whose `run` calls the first and the second of them. */
const wasm = (...imported) => exporting(["run"], imported);

/** One that exports `run` under each of these names. */
function exporting(exports, imported) {
  return Buffer.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, 1, 0x60, 0, 0),
    ...section(2, imported.length, ...imported.flatMap((each) => [...name("glue"), ...name(each), 0, 0])),
    ...section(3, 1, 0),
    ...section(7, exports.length, ...exports.flatMap((each) => [...name(each), 0, imported.length])),
    ...section(10, 1, 6, 0, 0x10, 0, 0x10, 1, 0x0b),
  ]);
}

function files(t, program, glue) {
  const folder = mkdtempSync(join(tmpdir(), "carrete-shorten-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const [first, second] = [join(folder, "page.wasm"), join(folder, "page.js")];
  writeFileSync(first, program);
  writeFileSync(second, glue);
  return [first, second];
}

test("both files get the same short names, and the program calls what it called before", async (t) => {
  const glue = "export const said = []; export const glue = { __wbg_b_2: () => said.push('b'), __wbg_a_10: () => said.push('a') };";
  const [program, page] = files(t, wasm("__wbg_b_2", "__wbg_a_10"), glue);
  const before = readFileSync(program).length;
  assert.match(execFileSync(process.execPath, [script, program, page], { encoding: "utf8" }), /^shorten: 2 names, 0 exports and 17 bytes/);
  assert.equal(readFileSync(program).length, before - 17);
  const { glue: imports, said } = await import(page);
  assert.deepEqual(Object.keys(imports), ["b", "a"]);
  const { instance } = await WebAssembly.instantiate(readFileSync(program), { glue: imports });
  instance.exports.run();
  assert.deepEqual(said, ["b", "a"]);
});

test("a name that the page does not hold, or holds twice, is an error and changes nothing", (t) => {
  for (const glue of ["({ __wbg_a_1: 0, __wbg_a_10: 0 })", "({ __wbg_a_1: 0, __wbg_b_2: 0, c: '__wbg_b_2' })"]) {
    const program = wasm("__wbg_a_1", "__wbg_b_2");
    const paths = files(t, program, glue);
    const ran = spawnSync(process.execPath, [script, ...paths], { encoding: "utf8" });
    assert.equal(ran.status, 1);
    assert.match(ran.stderr, /__wbg_b_2 stands [02] times/);
    assert.deepEqual([readFileSync(paths[0]), readFileSync(paths[1], "utf8")], [program, glue]);
  }
});

test("what belongs to a class that nobody makes an object of is exported no more", (t) => {
  const [a, b] = ["__wbg_a_1", "__wbg_b_2"];
  const names = ["run", "__wbg_sink_free", "sink_write", "sinker", "__wbg_made_free", "made_new", "__wbg_given_free", "given_pull"];
  const given = "__wbg_given_new";
  const [program, page] = files(t, exporting(names, [a, b, given]), `({ ${a}: 0, ${b}: 0, ${given}: 0 })`);
  assert.match(execFileSync(process.execPath, [script, program, page], { encoding: "utf8" }), /^shorten: 3 names, 2 exports and/);
  const kept = WebAssembly.Module.exports(new WebAssembly.Module(readFileSync(program)));
  assert.deepEqual(kept.map(({ name }) => name), names.filter((name) => !["__wbg_sink_free", "sink_write"].includes(name)));
});
