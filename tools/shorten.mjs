// Gives what the page's program imports from its JavaScript short names, in both files alike: node shorten.mjs WASM JS.
// wasm-bindgen's names are long and end in a hash, which no compression shortens. A name follows from the sorted list
// of all of them, so files of the same content get the same names again.
import { readFileSync, renameSync, writeFileSync } from "node:fs";

/** Id of the import section (WebAssembly 2.0, 5.5.5). */
const IMPORTS = 2;
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

/** Where the contents of the import section begin and end, and where its header begins. */
function section(bytes) {
  for (let at = HEADER_BYTES; at < bytes.length; ) {
    const [size, begin] = number(bytes, at + 1);
    if (bytes[at] === IMPORTS) return { header: at, begin, end: begin + size };
    at = begin + size;
  }
  throw new Error("nothing is imported");
}

/** The imports: module, name, and the bytes that say of what kind each is. Only functions are known. */
function imports(bytes, { begin, end }) {
  let [count, at] = number(bytes, begin);
  const text = () => {
    const [length, from] = number(bytes, at);
    at = from + length;
    return bytes.toString("utf8", from, at);
  };
  const all = [];
  while (count--) {
    const module = text(), name = text(), from = at;
    if (bytes[at] !== FUNCTION) throw new Error(`${name} is no function`);
    [, at] = number(bytes, at + 1);
    all.push({ module, name, kind: bytes.subarray(from, at) });
  }
  if (at !== end) throw new Error("the import section has another form");
  return all;
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
const place = section(bytes);
const all = imports(bytes, place);
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
const contents = Buffer.concat([
  leb(all.length),
  ...all.flatMap(({ module, name, kind }) => [text(module), text(names.get(name)), kind]),
]);
const head = Buffer.concat([bytes.subarray(0, place.header), Buffer.of(IMPORTS), leb(contents.length)]);
for (const [file, content] of [[wasm, Buffer.concat([head, contents, bytes.subarray(place.end)])], [js, script]]) {
  writeFileSync(`${file}.short`, content);
  renameSync(`${file}.short`, file);
}
console.log(`shorten: ${names.size} names, ${bytes.length - readFileSync(wasm).length} bytes less of WebAssembly`);
