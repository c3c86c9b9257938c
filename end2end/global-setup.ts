// Starts target/release/carrete on a free port with the test channels, and stops exactly that process afterwards.
// Tests read CARRETE_URL, CARRETE_STREAMS (a folder they may change) and CARRETE_PID from the environment.
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { homedir, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const START_MS = 20_000;
const STOP_MS = 10_000;

export default async function start(): Promise<(() => Promise<void>) | undefined> {
  if (process.env.CARRETE_URL) return undefined;
  const made = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "carrete", "test-streams");
  execFileSync(join(here, "streams.sh"), [made], { stdio: "inherit" });
  const work = mkdtempSync(join(tmpdir(), "carrete-end2end-"));
  const streams = join(work, "streams");
  cpSync(made, streams, { recursive: true, preserveTimestamps: true });

  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const server = spawn(join(here, "..", "target", "release", "carrete"), ["serve"], {
    cwd: work,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      PATH: process.env.PATH,
      HOST: "127.0.0.1",
      PORT: String(port),
      STREAMS_DIR: streams,
      DATA_DIR: join(work, "data"),
      RUST_LOG: process.env.RUST_LOG ?? "warn",
    },
  });
  let said = "";
  server.stdout.on("data", (chunk) => (said = (said + chunk).slice(-8_000)));
  server.stderr.on("data", (chunk) => (said = (said + chunk).slice(-8_000)));
  const clean = async () => {
    await stop(server);
    rmSync(work, { recursive: true, force: true });
  };
  try {
    await healthy(url, server);
  } catch (error) {
    await clean();
    throw new Error(`carrete did not start: ${(error as Error).message}\n${said}`);
  }
  process.env.CARRETE_URL = url;
  process.env.CARRETE_STREAMS = streams;
  process.env.CARRETE_PID = String(server.pid);
  return clean;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => (address && typeof address === "object" ? resolve(address.port) : reject(new Error("no port"))));
    });
  });
}

async function healthy(url: string, server: ChildProcess): Promise<void> {
  let failure: Error | undefined;
  server.once("error", (error) => (failure = error));
  const until = Date.now() + START_MS;
  while (Date.now() < until) {
    if (failure) throw failure;
    if (server.exitCode !== null) throw new Error(`it ended with ${server.exitCode}`);
    const answer = await fetch(`${url}/api/health`, { signal: AbortSignal.timeout(2_000) }).catch(() => undefined);
    if (answer?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`no answer within ${START_MS / 1000} s`);
}

function stop(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null || !server.pid) return Promise.resolve();
  return new Promise((resolve) => {
    const last = setTimeout(() => server.kill("SIGKILL"), STOP_MS);
    server.once("exit", () => {
      clearTimeout(last);
      resolve();
    });
    server.kill("SIGTERM");
  });
}
