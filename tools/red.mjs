#!/usr/bin/env node
// The tests of a Playwright report that failed, and those that passed at a second try, a line each:
// `FAILED file:line title: why` or `AGAIN file:line title: why`.
// Usage: node tools/red.mjs report.json
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

/**
 * @param {{ suites?: object[], errors?: { message?: string }[] }} report as `--reporter=json` writes it
 * @returns {string[]} a line for each
 */
export function red({ suites = [], errors = [] }) {
  const lines = errors.map(({ message }) => `FAILED ${first(message)}`);
  for (const suite of suites) walk(suite, lines);
  return lines;
}

function walk({ specs = [], suites = [] }, lines) {
  for (const { title, file, line, tests } of specs) {
    for (const { status, projectName, results } of tests) {
      const word = { unexpected: "FAILED", flaky: "AGAIN" }[status];
      const why = results.flatMap(({ errors = [] }) => errors).map(({ message }) => first(message));
      if (word) lines.push(`${word} ${file}:${line} ${projectName}: ${title}: ${why.join("; then ") || "no reason was given"}`);
    }
  }
  for (const suite of suites) walk(suite, lines);
}

/** Its first three lines with anything in them, in one, without the colours of a terminal. */
function first(message = "") {
  const plain = message.replace(/\u001b\[[0-9;]*m/g, "");
  return plain.split("\n").map((line) => line.trim()).filter(Boolean).slice(0, 3).join(" | ").slice(0, 300);
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  for (const line of red(JSON.parse(readFileSync(process.argv[2], "utf8")))) console.log(line);
}
