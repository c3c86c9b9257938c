#!/usr/bin/env node
// The tests of Playwright reports that failed, and those that are flaky (they passed at a second try only), a line each:
// `FAILED file:line title: why` or `FLAKY file:line title: why`. A few flaky ones are a busy machine; more are a defect, of the
// product or of a test, and count as failed.
// Usage: node tools/red.mjs [--sums] report.json…
// With --sums a line for each report instead: how many passed, and how many failed.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

/** So many flaky tests in a whole run are let through. */
export const FLAKY_MAX = 2;

/** What stands for a report that nobody wrote, or that cannot be read. */
const unread = (why) => ({ errors: [{ message: why }] });

/**
 * @param {{ suites?: object[], errors?: { message?: string }[] }} report as `--reporter=json` writes it
 * @returns {string[]} a line for each
 */
export function red({ suites = [], errors = [] }) {
  const lines = errors.map(({ message }) => `FAILED ${first(message)}`);
  for (const suite of suites) walk(suite, lines);
  return lines;
}

/**
 * @param {object[]} reports of one run
 * @returns {{ sums: { passed: number, failed: number }[], lines: string[] }} the sum of each, and what is to be told of all
 */
export function judge(reports) {
  const flaky = reports.reduce((all, { stats }) => all + (stats?.flaky ?? 0), 0);
  const bad = flaky > FLAKY_MAX;
  const sums = reports.map(({ stats = {}, errors = [] }) => {
    const { expected = 0, unexpected = 0, flaky = 0 } = stats;
    const failed = unexpected + (bad ? flaky : 0);
    return { passed: expected + (bad ? 0 : flaky), failed: failed || Number(errors.length > 0) };
  });
  const lines = reports.flatMap(red);
  if (bad) lines.push(`FAILED ${flaky} tests are flaky, and ${FLAKY_MAX} may be: each counts as failed`);
  return { sums, lines };
}

function walk({ specs = [], suites = [] }, lines) {
  for (const { title, file, line, tests } of specs) {
    for (const { status, projectName, results } of tests) {
      const word = { unexpected: "FAILED", flaky: "FLAKY" }[status];
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

function read(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    return unread(`no report: ${error.message}`);
  }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [files, onlySums] = [process.argv.slice(2).filter((file) => file !== "--sums"), process.argv.includes("--sums")];
  const { sums, lines } = judge(files.map(read));
  for (const line of onlySums ? sums.map(({ passed, failed }) => `${passed} ${failed}`) : lines) console.log(line);
}
