// The Dockerfile names no tool and no version by itself: its builder installs what everybody installs (tools/install.sh) and
// builds as everybody does (tools/build.sh). node tools/container.mjs: says what is named all the same, exit 1 then.
import { readFileSync } from "node:fs";

/** What a builder may install from Debian: the Node that CONTRIBUTING.md asks everybody to bring. */
const BROUGHT = new Set(["nodejs", "npm"]);
/** What the last stage may install: what the running program calls. */
const RUNS_WITH = new Set(["ca-certificates", "ffmpeg"]);
/** Everything that brings a program from elsewhere, as the beginning of a command. */
const INSTALLERS =
  /^(cargo\s+(\+\S+\s+)?(-\S+\s+)*(binstall|install)|rustup\s+(component|default|install|target|toolchain|update)|npx|(npm|pnpm|yarn)\s+(add|ci|exec|i|install)|pip3?\s|python3?\s+-m\s+pip|curl|wget|git\s+clone|apt\s|aptitude|dpkg\s+-i|corepack|gem\s|go\s+install)/;

/** Instructions with their lines joined and comments dropped: `{ word, rest }`, `word` in capitals. */
export function instructions(text) {
  const lines = text.split("\n").filter((line) => !/^\s*#/.test(line));
  return lines
    .join("\n")
    .replace(/\\\s*\n/g, " ")
    .split("\n")
    .map((line) => /^\s*([A-Za-z]+)\s+(.*\S)\s*$/.exec(line))
    .filter(Boolean)
    .map(([, word, rest]) => ({ word: word.toUpperCase(), rest: rest.replace(/\s+/g, " ") }));
}

/** The words of a RUN in exec form, as one line; any other as it is. */
function shellForm(rest) {
  if (!rest.startsWith("[")) return rest;
  try {
    const words = JSON.parse(rest);
    return words.every((word) => typeof word === "string") ? words.join(" ") : rest;
  } catch {
    return rest;
  }
}

/** The commands of one RUN, its options, the shell that runs them and variables before a command dropped. */
function commands(rest) {
  return shellForm(rest.replace(/^(--\S+\s+)*/, ""))
    .split(/&&|\|\||[;|&(){}`\n]/)
    .map((command) => {
      let bare = command.trim();
      for (let before; before !== bare; ) {
        before = bare;
        bare = bare
          .replace(/^(export|env|exec|eval|sudo|command|nice(\s+-n\s*\S+)?|time|if|then|else|do|while|until|!)(?=[\s"'])\s*/, "")
          .replace(/^\w+=("[^"]*"|'[^']*'|\S*)(\s+|$)/, "")
          .replace(/^(\S*\/)?(ba|da|z|k)?sh\s+(-\S*o\s+\w+\s+|-\S+\s+)*/, "")
          .replace(/^["']|["']$/g, "")
          .trim();
      }
      return bare;
    });
}

/** Sentences about what `dockerfile` names by itself; none where it is as it should be. `channel` is that of rust-toolchain.toml. */
export function complaints(dockerfile, channel) {
  const said = [];
  const stages = [];
  for (const { word, rest } of instructions(dockerfile)) {
    if (/<<-?\s*["']?\w/.test(rest)) said.push(`${word} ${rest}: what is written here cannot be read over; a script in tools/ can`);
    if (word === "ENV" && /(^|[\s"])(?!HOST=|PORT=)\w+[=\s]"?v?\d[\w.]*("|\s|$)/.test(rest)) said.push(`ENV ${rest}: versions belong into tools/env.sh`);
    if (word === "ARG") said.push(`ARG ${rest}: versions belong into tools/env.sh`);
    if (word === "FROM") {
      const [image, , name] = rest.replace(/^(--\S+\s+)*/, "").split(/\s+/);
      stages.push({ image, name, steps: [] });
      const known = stages.some((stage) => stage.name === image);
      if (!known && image !== "debian:bookworm-slim" && image !== `rust:${channel}-slim-bookworm`)
        said.push(`FROM ${image}: Debian bookworm and Rust ${channel} (rust-toolchain.toml) are what the product is built and tested with`);
    } else if (stages.length) stages.at(-1).steps.push({ word, rest });
  }
  if (stages.length < 2) return [...said, "there is no stage that builds and one that runs"];

  for (const [n, stage] of stages.entries()) {
    const allowed = n === stages.length - 1 ? RUNS_WITH : BROUGHT;
    for (const { word, rest } of stage.steps) {
      const from = /(?:--|[,=])from=([^\s,]+)/.exec(rest)?.[1];
      if (from && !stages.slice(0, n).some((before, at) => before.name === from || String(at) === from))
        said.push(`${word} --from=${from}: only what a stage above made comes along`);
      if (word === "ADD") said.push(`ADD ${rest}: COPY what is here, and let tools/install.sh bring what is not`);
      if (word !== "RUN") continue;
      for (const command of commands(rest)) {
        if (INSTALLERS.test(command)) said.push(`${command}: tools/install.sh installs tools`);
        const packages = /^apt-get\s+(?:-\S+\s+)*install\s+(.*)$/.exec(command)?.[1].split(/\s+/) ?? [];
        for (const name of packages.filter((name) => !name.startsWith("-") && !allowed.has(name)))
          said.push(`apt-get install ${name}: tools/install.sh installs tools`);
        if (/(^|[^\d.:])\d+\.\d+/.test(command)) said.push(`${command}: a version is named; tools/env.sh has them`);
      }
    }
  }

  const builder = stages.find((stage) => stage.steps.some(({ word, rest }) => word === "RUN" && /tools\/build\.sh\b/.test(rest)));
  if (!builder) return [...said, "no stage runs tools/build.sh"];
  const at = (test) => builder.steps.findIndex(({ word, rest }) => test(word, rest));
  const tools = at((word, rest) => word === "RUN" && commands(rest).some((command) => command === "tools/install.sh build"));
  const all = at((word, rest) => word === "COPY" && /^(--\S+\s+)*\.\s/.test(rest));
  const build = at((word, rest) => word === "RUN" && commands(rest).includes("tools/build.sh"));
  if (tools < 0) said.push("the stage that builds does not run `tools/install.sh build`");
  if (tools >= 0 && all >= 0 && tools > all) said.push("`COPY . .` stands before the tools: each change would compile them again");
  if (build < 0) said.push("`tools/build.sh` is not run as it is");
  return said;
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const channel = /^channel\s*=\s*"(.*)"/m.exec(readFileSync("rust-toolchain.toml", "utf8"))[1];
  const said = complaints(readFileSync("Dockerfile", "utf8"), channel);
  for (const sentence of said) console.error(`container: ${sentence}`);
  process.exit(said.length ? 1 : 0);
}
