import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { FLAKY_MAX, judge, red } from "./red.mjs";

const spec = (title, status, ...messages) => ({
  title,
  file: "swipe.spec.ts",
  line: 7,
  tests: [{ status, projectName: "phone", results: messages.map((message) => ({ errors: message ? [{ message }] : [] })) }],
});

/** A report of so many tests. */
const report = ({ expected = 0, flaky = 0, unexpected = 0 }) => ({
  stats: { expected, flaky, unexpected },
  errors: [],
  suites: [
    { specs: Array.from({ length: flaky }, (_, n) => spec(`flaky ${n + 1}`, "flaky", "once", "")) },
    { specs: Array.from({ length: unexpected }, (_, n) => spec(`broken ${n + 1}`, "unexpected", "late", "late")) },
  ],
});

test("what failed and what passed at its second try is told in a line each, however deep it stands", () => {
  const report = {
    suites: [
      { specs: [spec("goes up", "expected", "")], suites: [{ specs: [spec("goes down", "unexpected", "late", "\u001b[31mlate\u001b[39m\n\n  again")] }] },
      { specs: [spec("comes back", "flaky", "once", "")] },
    ],
  };
  assert.deepEqual(red(report), [
    "FAILED swipe.spec.ts:7 phone: goes down: late; then late | again",
    "FLAKY swipe.spec.ts:7 phone: comes back: once",
  ]);
});

test("a report that could not begin says why, and counts as one that failed", () => {
  const report = { errors: [{ message: "no server" }], stats: { expected: 0, unexpected: 0, flaky: 0 } };
  assert.deepEqual(red(report), ["FAILED no server"]);
  assert.deepEqual(judge([report]).sums, [{ passed: 0, failed: 1 }]);
});

test("two flaky tests of a run have passed, a third one makes each of them a failed one, in whichever report", () => {
  assert.equal(FLAKY_MAX, 2);
  const few = judge([report({ expected: 10, flaky: 1 }), report({ expected: 5, flaky: 1 })]);
  assert.deepEqual(few.sums, [{ passed: 11, failed: 0 }, { passed: 6, failed: 0 }]);
  assert.equal(few.lines.length, 2);
  const many = judge([report({ expected: 10, flaky: 2, unexpected: 1 }), report({ expected: 5, flaky: 1 })]);
  assert.deepEqual(many.sums, [{ passed: 10, failed: 3 }, { passed: 5, failed: 1 }]);
  assert.equal(many.lines.length, 5);
  assert.equal(many.lines.at(-1), "FAILED 3 tests are flaky, and 2 may be: each counts as failed");
});

/** Runs tools/test.sh over a tree in which Playwright is a script that writes these reports, or none. */
function browser(t, reports) {
  const work = mkdtempSync(join(tmpdir(), "carrete-red-"));
  t.after(() => rmSync(work, { recursive: true }));
  const bin = join(work, "end2end", "node_modules", ".bin");
  for (const folder of [join(work, "tools"), bin]) mkdirSync(folder, { recursive: true });
  for (const file of ["test.sh", "red.mjs"]) copyFileSync(fileURLToPath(new URL(file, import.meta.url)), join(work, "tools", file));
  writeFileSync(join(work, "tools", "env.sh"), "");
  const script = (path, text) => (writeFileSync(path, `#!/bin/sh\n${text}\n`), chmodSync(path, 0o755));
  script(join(work, "tools", "build.sh"), "exit 0");
  for (const [part, report] of Object.entries(reports)) writeFileSync(join(work, `${part}.json`), JSON.stringify(report));
  script(join(bin, "playwright"), 'cp "../$PART.json" "$PLAYWRIGHT_JSON_OUTPUT_FILE" 2>/dev/null');
  const { status, stdout } = spawnSync("bash", [join(work, "tools", "test.sh"), "browser"], { encoding: "utf8" });
  return { status, lines: stdout.trim().split("\n") };
}

test("tools/test.sh names what is flaky, and lets two through", (t) => {
  const { status, lines } = browser(t, { together: report({ expected: 3, flaky: 1 }), alone: report({ expected: 4, flaky: 1 }) });
  assert.equal(lines.at(-1), "9 passed, 0 failed");
  assert.equal(status, 0);
  assert.equal(lines.filter((line) => line.startsWith("  FLAKY swipe.spec.ts:7 phone: flaky 1: once")).length, 2);
});

test("tools/test.sh fails where more than two are flaky, though Playwright does not", (t) => {
  const { status, lines } = browser(t, { together: report({ expected: 3, flaky: 2 }), alone: report({ expected: 4, flaky: 1 }) });
  assert.equal(lines.at(-1), "7 passed, 3 failed");
  assert.equal(status, 1);
  assert.equal(lines.filter((line) => line.startsWith("  FLAKY ")).length, 3);
  assert.equal(lines.filter((line) => line.includes("3 tests are flaky, and 2 may be")).length, 1);
});

test("tools/test.sh counts a part whose report is missing as one failed test, and says so", (t) => {
  const { status, lines } = browser(t, { together: report({ expected: 3 }) });
  assert.equal(lines.at(-1), "3 passed, 1 failed");
  assert.equal(status, 1);
  assert.equal(lines.filter((line) => line.startsWith("  FAILED no report: ")).length, 1);
});
