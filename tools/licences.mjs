// Proves that every dependency's licence is one we accept: the crates of `cargo metadata`, the npm packages of end2end
// and bench, hls.js. MPL-2.0 is accepted for what only tests use. Run by `make check`.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const ALLOWED = new Set(
  "0BSD Apache-2.0 BSL-1.0 CC0-1.0 CDLA-Permissive-2.0 ISC MIT Unicode-3.0 Unlicense Zlib".split(" "),
);
const TEST_ONLY = new Set(["MPL-2.0"]);
const LOCKS = ["end2end", "end2end/engines", "bench", "bench/peer"].map((folder) => `${folder}/package-lock.json`);
/** Packages whose manifest names the licence in the old form, `licenses`, which locks leave out. */
const OLD_FORM = new Map([["dom-walk 0.1.2", "MIT"]]);

const allowed = (id, test) => ALLOWED.has(id) || /^BSD-\d-Clause$/.test(id) || (test && TEST_ONLY.has(id));

/**
 * Whether an SPDX expression can be met with accepted licences alone. AND binds more tightly than OR; an exception (WITH)
 * only ever adds a permission. The slash of older manifests means OR. Throws on what is no expression.
 */
export function accepts(expression, { test = false } = {}) {
  const tokens = expression.replaceAll("/", " OR ").match(/[()]|[A-Za-z0-9.+-]+/g) ?? [];
  if (expression.replace(/[()\sA-Za-z0-9.+/-]/g, "")) throw new Error(`not an SPDX expression: ${expression}`);
  let at = 0;
  const word = () => tokens[at]?.toUpperCase();
  const or = () => {
    let met = and();
    while (word() === "OR") {
      at += 1;
      met = and() || met;
    }
    return met;
  };
  const and = () => {
    let met = licence();
    while (word() === "AND") {
      at += 1;
      met = licence() && met;
    }
    return met;
  };
  const licence = () => {
    const token = tokens[at++];
    if (token === "(") {
      const met = or();
      if (tokens[at++] !== ")") throw new Error(`unbalanced: ${expression}`);
      return met;
    }
    if (!token || token === ")" || /^(AND|OR|WITH)$/i.test(token)) throw new Error(`not an SPDX expression: ${expression}`);
    if (word() === "WITH") at += 2;
    return allowed(token, test);
  };
  const met = or();
  if (at !== tokens.length) throw new Error(`not an SPDX expression: ${expression}`);
  return met;
}

/** The ids of all packages that a workspace member reaches without going through a development dependency. */
export function shipped(metadata) {
  const nodes = new Map(metadata.resolve.nodes.map((node) => [node.id, node]));
  const reached = new Set();
  const queue = [...metadata.workspace_members];
  for (let id = queue.pop(); id; id = queue.pop()) {
    if (reached.has(id)) continue;
    reached.add(id);
    for (const dependency of nodes.get(id)?.deps ?? []) {
      if (dependency.dep_kinds.some(({ kind }) => kind !== "dev")) queue.push(dependency.pkg);
    }
  }
  return reached;
}

function* everything() {
  // The union of all our features resolves more than any one build compiles, which is the safe side here.
  const metadata = JSON.parse(
    execFileSync("cargo", ["metadata", "--quiet", "--format-version", "1", "--locked", "--all-features"], { maxBuffer: 1 << 28 }),
  );
  const inProduct = shipped(metadata);
  const resolved = new Set(metadata.resolve.nodes.map((node) => node.id));
  for (const { id, name, version, license, source } of metadata.packages) {
    if (source && resolved.has(id)) yield { name: `${name} ${version}`, license, test: !inProduct.has(id) };
  }
  for (const lock of LOCKS.filter(existsSync)) {
    for (const [path, { version, license }] of Object.entries(JSON.parse(readFileSync(lock, "utf8")).packages)) {
      const name = `${path.replace(/^.*node_modules\//, "")} ${version}`;
      if (path) yield { name, license: license ?? OLD_FORM.get(name), test: true };
    }
  }
  if (!readFileSync("public/vendor/hls/LICENSE", "utf8").includes("Apache License, Version 2.0")) {
    yield { name: "public/vendor/hls", license: null, test: false };
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  let count = 0;
  const refused = [];
  for (const { name, license, test } of everything()) {
    count += 1;
    let fine = false;
    try {
      fine = Boolean(license) && accepts(license, { test });
    } catch (error) {
      refused.push(`${name}: ${error.message}`);
      continue;
    }
    if (!fine) refused.push(`${name}: ${license ?? "no licence named"}${test ? " (tests only)" : ""}`);
  }
  for (const line of refused) console.error(`licences: ${line}`);
  console.log(`licences: ${count} packages, ${refused.length} not accepted`);
  process.exit(refused.length ? 1 : 0);
}
