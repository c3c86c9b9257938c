// The nginx that the edge is measured beside: below /local it sends files, below /far it keeps what an origin answers, as its
// handbook says it is done. It lives in a folder of its own and ends with the run.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { freePort, processor } from "./carrete.mjs";

const config = ({ folder, port, streams, origin }) => `
${process.getuid() === 0 ? "user root;" : ""}
daemon off;
worker_processes auto;
pid ${folder}/pid;
error_log stderr crit;
events { worker_connections 4096; }
http {
  access_log off;
  default_type video/mp2t;
  sendfile on;
  tcp_nopush on;
  tcp_nodelay on;
  keepalive_timeout 90s;
  keepalive_requests 1000000000;
  client_body_temp_path ${folder}/body;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  proxy_temp_path ${folder}/proxy;
  proxy_cache_path ${folder}/cache levels=1:2 keys_zone=edge:10m max_size=1g inactive=1h use_temp_path=off;
  upstream origin { server ${new URL(origin).host}; keepalive 16; }
  server {
    listen 127.0.0.1:${port};
    location /local/ { alias ${streams}/; }
    location /far/ {
      proxy_pass http://origin;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_cache edge;
      proxy_cache_valid 200 1h;
      proxy_cache_lock on;
      proxy_cache_lock_timeout 30s;
    }
  }
}
`;

/** Serves the channels of a folder, and an origin with a cache before it. */
export async function startNginx(streams, origin) {
  const folder = mkdtempSync(join(tmpdir(), "carrete-bench-nginx-"));
  const port = await freePort();
  writeFileSync(join(folder, "nginx.conf"), config({ folder, port, streams, origin }));
  const master = spawn("nginx", ["-p", folder, "-e", "stderr", "-c", join(folder, "nginx.conf")], { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  master.stderr.on("data", (chunk) => (said = (said + chunk).slice(-2_000)));
  // Its workers end when the first process is asked to, and not when it is killed.
  const orphaned = () => master.kill("SIGTERM") && rmSync(folder, { recursive: true, force: true });
  process.once("exit", orphaned);
  const url = `http://127.0.0.1:${port}`;
  for (let began = Date.now(); !(await fetch(`${url}/`).catch(() => undefined)); await sleep(5)) {
    if (master.exitCode !== null || Date.now() - began > 10_000) throw new Error(`nginx does not answer: ${said}`);
  }
  const pids = [master.pid, ...children(master.pid)];
  return {
    url,
    /** Seconds of processor that all its processes have used. */
    cpu: () => pids.filter((pid) => existsSync(`/proc/${pid}/stat`)).reduce((sum, pid) => sum + processor(pid), 0),
    async stop() {
      process.off("exit", orphaned);
      const ended = new Promise((resolve) => master.once("exit", resolve));
      if (master.exitCode === null && master.kill("SIGTERM")) await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function children(parent) {
  const parentOf = (pid) => {
    try {
      return Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1]);
    } catch {
      return 0; // It has ended meanwhile.
    }
  };
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name) && parentOf(name) === parent);
}
