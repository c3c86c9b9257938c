// How fast addresses are served to many that ask again and again, by wrk, and to many that ask at the same moment.
import { spawn } from "node:child_process";
import { Agent, get } from "node:http";
import { performance } from "node:perf_hooks";

const CONNECTIONS = 32;
const SECONDS = 3;

/** Requests answered in a second, and seconds of the server's processor for a gigabyte. */
export async function load({ server, path, bytes }) {
  const url = server.url + path;
  // Not a byte is measured that is not the right one.
  if (!bytes.equals(await read(url))) throw new Error(`${path} is answered with other bytes`);
  const before = server.cpu();
  const told = await wrk(["-t2", `-c${CONNECTIONS}`, `-d${SECONDS}s`, url]);
  const used = server.cpu() - before;
  const wrong = /(Non-2xx|Socket errors).*/.exec(told);
  if (wrong) throw new Error(`${path}: ${wrong[0]}`);
  const requests = Number(/(\d+) requests in/.exec(told)?.[1]);
  const per_second = Number(/Requests\/sec:\s+([\d.]+)/.exec(told)?.[1]);
  return { per_second, per_gb: used / ((requests * bytes.length) / 1e9) };
}

function wrk(args) {
  return new Promise((resolve, reject) => {
    const child = spawn("wrk", args, { stdio: ["ignore", "pipe", "pipe"] });
    const orphaned = () => child.kill("SIGKILL");
    process.once("exit", orphaned);
    let told = "";
    child.stdout.on("data", (chunk) => (told += chunk));
    child.stderr.on("data", (chunk) => (told += chunk));
    child.once("error", reject);
    child.once("close", (code) => {
      process.off("exit", orphaned);
      if (code === 0) resolve(told);
      else reject(new Error(`wrk ended with ${code}: ${told}`));
    });
  });
}

/** Milliseconds until so many that ask at once have all of it. `warm` is asked for first, so that all are connected. */
export async function crowd({ server, path, bytes, warm, many }) {
  const agent = new Agent({ keepAlive: true, maxSockets: many, maxFreeSockets: many });
  const all = (path) => Promise.all(Array.from({ length: many }, () => read(server.url + path, agent)));
  await all(warm);
  const began = performance.now();
  const got = await all(path);
  const ms = performance.now() - began;
  agent.destroy();
  if (!got.every((one) => bytes.equals(one))) throw new Error(`${path} is answered with other bytes`);
  return ms;
}

function read(url, agent) {
  return new Promise((resolve, reject) => {
    const asked = get(url, { agent }, (answer) => {
      const chunks = [];
      if (answer.statusCode !== 200) reject(new Error(`${url}: ${answer.statusCode}`));
      answer.on("data", (chunk) => chunks.push(chunk)).once("end", () => resolve(Buffer.concat(chunks))).once("error", reject);
    });
    asked.once("error", reject);
  });
}
