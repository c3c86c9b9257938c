// Makes the page's WASM smaller together with its JavaScript: node shorten.mjs WASM JS.
// What it imports gets short names in both files alike: wasm-bindgen's are long and end in a hash, which no compression shortens.
// A name follows from the sorted list of all of them, so files of the same content get the same names again.
// What it exports of a class that nothing makes an object of is exported no more, so that wasm-opt can take its code away:
// wasm-streams brings three such classes along.
import { readFileSync, renameSync, writeFileSync } from "node:fs";

/** Ids of the import and of the export section (WebAssembly 2.0, 5.5.5 and 5.5.10). */
const IMPORTS = 2;
const EXPORTS = 7;
const HEADER_BYTES = 8;
/** Bytes that follow the kind of an import, by kind: function, table, memory, global, tag. */
const FUNCTION = 0;
const LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/** An unsigned LEB128 number at `at`: its value and where it ends. */
function number(bytes, at) {
  for (let value = 0, shift = 0; ; shift += 7) {
    const byte = bytes[at++];
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return [value, at];
  }
}

function leb(value) {
  const bytes = [];
  do bytes.push((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
  while ((value >>>= 7));
  return Buffer.from(bytes);
}

/** Where the contents of a section begin and end, and where its header begins. */
function section(bytes, id) {
  for (let at = HEADER_BYTES; at < bytes.length; ) {
    const [size, begin] = number(bytes, at + 1);
    if (bytes[at] === id) return { header: at, begin, end: begin + size };
    at = begin + size;
  }
  throw new Error(`there is no section ${id}`);
}

/** Reads a section's list from its contents, each entry by `entry`. */
function list(bytes, { begin, end }, entry) {
  let [count, at] = number(bytes, begin);
  const reader = {
    text() {
      const [length, from] = number(bytes, at);
      at = from + length;
      return bytes.toString("utf8", from, at);
    },
    /** The bytes of a kind and of the index that follows it. */
    kind() {
      const from = at;
      [, at] = number(bytes, at + 1);
      return bytes.subarray(from, at);
    },
  };
  const all = [];
  while (count--) all.push(entry(reader));
  if (at !== end) throw new Error("a section has another form");
  return all;
}

/** The imports: module, name, and the bytes that say of what kind each is. Only functions are known. */
const imports = (bytes) =>
  list(bytes, section(bytes, IMPORTS), ({ text, kind }) => {
    const each = { module: text(), name: text(), kind: kind() };
    if (each.kind[0] !== FUNCTION) throw new Error(`${each.name} is no function`);
    return each;
  });

/** The exports: name, and the bytes that say what each is. */
const exported = (bytes) => list(bytes, section(bytes, EXPORTS), ({ text, kind }) => ({ name: text(), kind: kind() }));

/** The module with other contents in one of its sections. */
function replaced(bytes, id, ...parts) {
  const { header, end } = section(bytes, id);
  const contents = Buffer.concat(parts);
  return Buffer.concat([bytes.subarray(0, header), Buffer.of(id), leb(contents.length), contents, bytes.subarray(end)]);
}

/** Whether an export is of a class whose objects only the WASM could make, and does not: it imports no `__wbg_…_new` of it. */
function useless(all, imported) {
  const made = (name) => imported.some((each) => each.name.startsWith(`__wbg_${name}_new`));
  const classes = all.map(({ name }) => /^__wbg_(\w+)_free$/.exec(name)?.[1]).filter((name) => name && !made(name));
  const constructed = (name) => all.some((each) => each.name === `${name}_new`);
  const idle = classes.filter((name) => !constructed(name));
  return ({ name }) => idle.some((each) => name === `__wbg_${each}_free` || name.startsWith(`${each}_`));
}

/** The n-th shortest name of letters. */
const short = (n) => (n >= LETTERS.length ? short(Math.floor(n / LETTERS.length) - 1) : "") + LETTERS[n % LETTERS.length];

const text = (string) => {
  const bytes = Buffer.from(string);
  return Buffer.concat([leb(bytes.length), bytes]);
};

const [wasm, js] = process.argv.slice(2);
if (!wasm || !js) {
  console.error("shorten: which files? node tools/shorten.mjs WASM JS");
  process.exit(2);
}
const bytes = readFileSync(wasm);
const all = imports(bytes);
const names = new Map([...new Set(all.map(({ name }) => name))].sort().map((name, n) => [name, short(n)]));

let script = readFileSync(js, "utf8");
for (const [name, shorter] of names) {
  const parts = script.split(new RegExp(`(?<![\\w$])${name.replaceAll("$", "\\$")}(?![\\w$])`));
  if (parts.length !== 2) {
    console.error(`shorten: ${name} stands ${parts.length - 1} times in ${js}, not once`);
    process.exit(1);
  }
  script = parts.join(shorter);
}
const before = exported(bytes);
const isUseless = useless(before, all);
const kept = before.filter((each) => !isUseless(each));
const renamed = all.flatMap(({ module, name, kind }) => [text(module), text(names.get(name)), kind]);
const lighter = replaced(
  replaced(bytes, IMPORTS, leb(all.length), ...renamed),
  EXPORTS, leb(kept.length), ...kept.flatMap(({ name, kind }) => [text(name), kind]),
);
for (const [file, content] of [[wasm, lighter], [js, script]]) {
  writeFileSync(`${file}.short`, content);
  renameSync(`${file}.short`, file);
}
console.log(`shorten: ${names.size} names, ${before.length - kept.length} exports and ${bytes.length - lighter.length} bytes less of WebAssembly`);
