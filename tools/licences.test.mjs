import assert from "node:assert/strict";
import { test } from "node:test";
import { accepts, shipped } from "./licences.mjs";

const check = (expression, expected, options) =>
  test(`${expression}${options?.test ? " in tests" : ""} is ${expected ? "accepted" : "refused"}`, () =>
    assert.equal(accepts(expression, options), expected));

check("MIT", true);
check("MIT OR Apache-2.0", true);
check("MIT/Apache-2.0", true);
check("BSD-3-Clause", true);
check("GPL-3.0-only", false);
check("GPL-3.0-only OR MIT", true);
check("MIT AND GPL-2.0-only", false);
check("GPL-2.0-only AND MIT OR ISC", true);
check("(MIT OR Apache-2.0) AND Unicode-3.0", true);
check("(MIT OR Apache-2.0) AND LGPL-2.1-or-later", false);
check("Apache-2.0 WITH LLVM-exception OR Apache-2.0 OR MIT", true);
check("GPL-2.0-only WITH Classpath-exception-2.0", false);
check("MPL-2.0", false);
check("MPL-2.0", true, { test: true });
check("GPL-3.0-only", false, { test: true });

for (const broken of ["", "MIT OR", "(MIT", "MIT)", "OR MIT", "MIT Apache-2.0", "SEE LICENSE; rm"]) {
  test(`'${broken}' is no expression`, () => assert.throws(() => accepts(broken)));
}

test("what only a development dependency reaches is not shipped", () => {
  const edge = (pkg, ...kinds) => ({ pkg, dep_kinds: kinds.map((kind) => ({ kind })) });
  const metadata = {
    workspace_members: ["app"],
    resolve: {
      nodes: [
        { id: "app", deps: [edge("used", null), edge("tool", "dev"), edge("both", "dev", "build")] },
        { id: "tool", deps: [edge("deep", null)] },
        { id: "used", deps: [] },
        { id: "both", deps: [] },
        { id: "deep", deps: [] },
      ],
    },
  };
  assert.deepEqual([...shipped(metadata)].sort(), ["app", "both", "used"]);
});
