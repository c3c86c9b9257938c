import assert from "node:assert/strict";
import { test } from "node:test";

import { red } from "./red.mjs";

const spec = (title, status, ...messages) => ({
  title,
  file: "swipe.spec.ts",
  line: 7,
  tests: [{ status, projectName: "phone", results: messages.map((message) => ({ errors: message ? [{ message }] : [] })) }],
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
    "AGAIN swipe.spec.ts:7 phone: comes back: once",
  ]);
});

test("a report that could not begin says why", () => {
  assert.deepEqual(red({ errors: [{ message: "no server" }] }), ["FAILED no server"]);
});
