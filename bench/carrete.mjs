// Starts the release build on a free port for one measurement, reads its clock and memory, and stops exactly that process.
// CARRETE names another program.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const program = process.env.CARRETE ?? join(root, "target", "release", "carrete");
// USER_HZ, the unit of /proc/PID/stat, is 100 on Linux.
const TICKS_A_SECOND = 100;

// Whoever is told to stop takes along what it has started.
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));

export async function start(streams, settings = {}) {
  const port = await freePort();
  const home = mkdtempSync(join(tmpdir(), "carrete-bench-"));
  const began = performance.now();
  const server = spawn(program, ["serve"], {
    cwd: root,
    stdio: ["ignore", "ignore", "pipe"],
    env: {
      ...process.env,
      HOST: "127.0.0.1",
      PORT: String(port),
      STREAMS_DIR: streams,
      DATA_DIR: join(home, "data"),
      RUST_LOG: "error",
      ...settings,
    },
  });
  const orphaned = () => {
    server.kill("SIGKILL");
    rmSync(home, { recursive: true, force: true });
  };
  process.once("exit", orphaned);
  let said = "";
  server.stderr.on("data", (chunk) => (said = (said + chunk).slice(-2_000)));
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    /** Milliseconds from the start of the program to the first 200 on this address with this text in it. */
    async answers(path = "/", text = "") {
      for (;;) {
        if (server.exitCode !== null) throw new Error(`carrete ended with ${server.exitCode}: ${said}`);
        const answer = await fetch(url + path).catch(() => undefined);
        const body = await answer?.text();
        if (answer?.status === 200 && body.includes(text)) return performance.now() - began;
        if (performance.now() - began > 60_000) throw new Error(`no 200 on ${path} within 60 s: ${said}`);
        await sleep(2);
      }
    },
    /** Seconds of processor that it has used. */
    cpu() {
      return processor(server.pid);
    },
    /** Resident memory in megabytes. */
    memory() {
      return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${server.pid}/status`, "utf8"))[1]) * 1024 / 1e6;
    },
    async stop() {
      process.off("exit", orphaned);
      if (server.exitCode === null) {
        const ended = new Promise((resolve) => server.once("exit", resolve));
        server.kill("SIGTERM");
        await ended;
      }
      rmSync(home, { recursive: true, force: true });
    },
  };
}

/** Seconds of processor that a process has used, without its children. */
export function processor(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND;
}

export function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer().once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

/** One row of the table: what was measured, what came out, what is aimed at. */
export function row(what, measured, target = "–") {
  console.log([what, measured, "", "", target].join("\t"));
}

/** One row with a peer that was measured in the same run. */
export function beside(what, ours, theirs, ratio, target = "–") {
  console.log([what, ours, theirs, ratio, target].join("\t"));
}

/** Ours over theirs. */
export const times = (ours, theirs) => `${(ours / theirs).toFixed(2)}x`;

export function quantile(values, q) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))];
}

export const median = (values) => quantile(values, 0.5);
export const kB = (bytes) => `${(bytes / 1000).toFixed(1)} kB`;
export const ms = (value) => `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
