import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { complaints, instructions } from "./container.mjs";

const ours = readFileSync(new URL("../Dockerfile", import.meta.url), "utf8");
const channel = /^channel\s*=\s*"(.*)"/m.exec(readFileSync(new URL("../rust-toolchain.toml", import.meta.url), "utf8"))[1];

test("our Dockerfile names no tool and no version by itself", () => assert.deepEqual(complaints(ours, channel), []));

/** One change of our Dockerfile that must be complained about. */
const bad = (what, from, to, sentence) =>
  test(what, () => {
    assert.ok(ours.includes(from), `the Dockerfile no longer holds '${from}'`);
    const said = complaints(ours.replace(from, to), channel);
    assert.ok(said.some((line) => line.includes(sentence)), `said: ${JSON.stringify(said)}`);
  });

bad("a tool of Debian is refused", "nodejs npm", "binaryen nodejs npm", "binaryen");
bad("a package with a version is refused", "nodejs npm", "nodejs=18.13.0 npm", "nodejs=18.13.0");
bad("cargo install is refused", "tools/install.sh build", "cargo install cargo-leptos --locked && tools/install.sh build", "cargo install");
bad("so it is behind a variable", "tools/install.sh build", "FOO=1 cargo install wasm-bindgen-cli && tools/install.sh build", "cargo install");
bad("npm install is refused", "tools/install.sh build", "npm install -g binaryen && tools/install.sh build", "npm install");
bad("a download is refused", "tools/install.sh build", "curl -fsSL https://example.com/wasm-opt -o wasm-opt && tools/install.sh build", "curl");
bad("a target of Rust is refused", "tools/install.sh build", "rustup target add wasm32-unknown-unknown && tools/install.sh build", "rustup target");
bad("another Rust is refused", `rust:${channel}-slim`, "rust:1.80-slim", "rust:1.80");
bad("another Debian is refused", "debian:bookworm-slim\nRUN", "debian:trixie-slim\nRUN", "trixie");
bad("a version in an argument is refused", "WORKDIR /src", "ARG BINARYEN=108\nWORKDIR /src", "ARG BINARYEN");
bad("a version in a command is refused", "tools/build.sh", "sed -i s/1/108.0.0/ tools/env.sh && tools/build.sh", "a version is named");
bad("tools that are left to chance are refused", "tools/install.sh build", "true", "does not run `tools/install.sh build`");
bad("a build of its own is refused", "tools/build.sh", "cargo leptos build --release", "no stage runs tools/build.sh");
bad("what runs brings no compiler", "ca-certificates ffmpeg", "ca-certificates ffmpeg gcc", "gcc");

const run = (command) => `${command} && tools/install.sh build`;
for (const [what, command] of [
  ["of another toolchain", "cargo +stable install wasm-bindgen-cli"],
  ["with an option before it", "cargo --locked install wasm-bindgen-cli"],
  ["in another shell", 'bash -c "cargo install wasm-bindgen-cli"'],
  ["in a shell with options", "/bin/sh -euxc 'cargo install wasm-bindgen-cli'"],
  ["in a group", "(cargo install wasm-bindgen-cli)"],
  ["behind a condition", "if true; then cargo install wasm-bindgen-cli; fi"],
])
  bad(`cargo install ${what} is refused`, "tools/install.sh build", run(command), "tools/install.sh installs tools");
bad("so it is in exec form", "COPY . .", 'RUN ["cargo", "install", "wasm-bindgen-cli"]\nCOPY . .', "cargo install");
bad("so it is in exec form of a shell", "COPY . .", 'RUN ["sh", "-c", "cargo install wasm-bindgen-cli"]\nCOPY . .', "cargo install");
bad("a package in another shell is refused", "COPY . .", 'RUN bash -c "apt-get install -y binaryen"\nCOPY . .', "apt-get install binaryen");
bad("a program of another image is refused", "COPY . .", "COPY --from=node:20-slim /usr/local/bin/node /usr/bin/\nCOPY . .", "node:20-slim");
bad("so it is where it is mounted", "COPY . .", "RUN --mount=from=node:20,target=/node cp /node/usr/local/bin/node /usr/bin/\nCOPY . .", "node:20");
bad("a version in the environment is refused", "WORKDIR /src", "ENV BINARYEN=108\nWORKDIR /src", "ENV BINARYEN=108");
bad("so it is in quotes and beside others", "WORKDIR /src", 'ENV A=b BINARYEN="v108.0"\nWORKDIR /src', "tools/env.sh");
bad("a script in the Dockerfile is refused", "COPY . .", "RUN <<EOF\ncargo install wasm-bindgen-cli\nEOF\nCOPY . .", "<<EOF");
bad("so it is for another program", "COPY . .", "RUN python3 <<'END'\nprint(1)\nEND\nCOPY . .", "<<'END'");

test("tools behind the sources are refused: each change would compile them again", () => {
  const moved = ours.replace(/^COPY \. \.\n/m, "").replace("COPY --from=pins", "COPY . .\nCOPY --from=pins");
  assert.match(complaints(moved, channel).join("\n"), /COPY \. \./);
});

test("lines that are continued are one instruction, comments are none", () => {
  assert.deepEqual(instructions("# a\nFROM x AS y\nRUN a \\\n # b\n && c\n"), [
    { word: "FROM", rest: "x AS y" },
    { word: "RUN", rest: "a && c" },
  ]);
});
