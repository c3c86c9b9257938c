// A server of a test's own, with its own folders on a free port, for tests that break it, fill it or empty it.
// The runner starts one for everybody through global-setup.ts.
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { constants, cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { homedir, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const START_MS = 20_000;
const STOP_MS = 10_000;

/** Where the channels that streams.sh makes are kept. */
export const MADE = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "carrete", "test-streams");
/** And those that few tests ask for, each on a server of its own. */
export const RARE = `${MADE}-rare`;

export class TestServer {
  readonly streams: string;
  private child: ChildProcess | undefined;
  private said = "";

  private constructor(
    private readonly work: string,
    private readonly port: number,
    private readonly env: Record<string, string>,
  ) {
    this.streams = join(work, "streams");
    mkdirSync(this.streams);
  }

  /** Serves copies of made channels: those named, or all. */
  static async open(channels: string[] | "all", env: Record<string, string> = {}): Promise<TestServer> {
    const server = new TestServer(mkdtempSync(join(tmpdir(), "carrete-end2end-")), await freePort(), env);
    if (channels === "all") cpSync(MADE, server.streams, { recursive: true, preserveTimestamps: true });
    else for (const channel of channels) server.add(channel);
    try {
      await server.start();
    } catch (error) {
      await server.close();
      throw error;
    }
    return server;
  }

  /** Makes the channels, where they are not there yet. */
  static makeChannels(): void {
    execFileSync(join(here, "streams.sh"), [MADE, RARE], { stdio: "inherit" });
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get pid(): number | undefined {
    return this.child?.pid;
  }

  /** Adds a channel: whole at once, as a copy of a made one. */
  add(channel: string, from = made(channel)): void {
    const part = join(this.streams, `.tmp-${channel}`);
    cpSync(from, part, { recursive: true, preserveTimestamps: true });
    renameSync(part, join(this.streams, channel));
  }

  /** Adds a channel that shares the files of a made one, under its own name: long lists cost no disk. */
  link(channel: string, of: string, about = `title = "${channel}"\n`): void {
    const [from, part] = [made(of), join(this.streams, `.tmp-${channel}`)];
    mkdirSync(part);
    for (const file of readdirSync(from).filter((file) => file !== "channel.toml")) {
      cpSync(join(from, file), join(part, file), { preserveTimestamps: true, mode: constants.COPYFILE_FICLONE });
    }
    writeFileSync(join(part, "channel.toml"), about);
    renameSync(part, join(this.streams, channel));
  }

  /** Takes a channel away, in one step. */
  remove(channel: string): void {
    const part = join(this.streams, `.tmp-${channel}`);
    renameSync(join(this.streams, channel), part);
    rmSync(part, { recursive: true });
  }

  /** Serves, after a `stop` at the same address again; `env` adds to what it was opened with. */
  async start(env: Record<string, string> = {}): Promise<void> {
    const child = spawn(join(here, "..", "target", "release", "carrete"), ["serve"], {
      cwd: this.work,
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        PATH: process.env.PATH,
        HOST: "127.0.0.1",
        PORT: String(this.port),
        STREAMS_DIR: this.streams,
        DATA_DIR: join(this.work, "data"),
        RUST_LOG: process.env.RUST_LOG ?? "warn",
        ...this.env,
        ...env,
      },
    });
    this.child = child;
    const hear = (chunk: Buffer) => (this.said = (this.said + chunk).slice(-8_000));
    child.stdout.on("data", hear);
    child.stderr.on("data", hear);
    await healthy(this.url, child).catch((error: Error) => {
      throw new Error(`carrete did not start: ${error.message}\n${this.said}`);
    });
  }

  /** Ends the server; its folders stay. */
  stop(signal: "SIGTERM" | "SIGKILL" = "SIGTERM"): Promise<void> {
    const child = this.child;
    if (!child || child.exitCode !== null || child.signalCode !== null || !child.pid) return Promise.resolve();
    return new Promise((resolve) => {
      const last = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
      child.once("exit", () => {
        clearTimeout(last);
        resolve();
      });
      child.kill(signal);
    });
  }

  async close(): Promise<void> {
    await this.stop("SIGKILL");
    rmSync(this.work, { recursive: true, force: true });
  }
}

/** The folder, or the file, that streams.sh made. */
function made(channel: string): string {
  const common = join(MADE, channel);
  return existsSync(common) ? common : join(RARE, channel);
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

async function healthy(url: string, child: ChildProcess): Promise<void> {
  let failure: Error | undefined;
  child.once("error", (error) => (failure = error));
  const until = Date.now() + START_MS;
  while (Date.now() < until) {
    if (failure) throw failure;
    if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`);
    const answer = await fetch(`${url}/api/health`, { signal: AbortSignal.timeout(2_000) }).catch(() => undefined);
    if (answer?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`no answer within ${START_MS / 1000} s`);
}
