// The page that ours is measured beside, peer/, bundled and served as Express with `compression` would: static files in gzip.
// The channels it shows are those of a running Carrete, which it asks straight.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css" };

/** Serves the page on a free port. */
export async function startPeer() {
  const folder = mkdtempSync(join(tmpdir(), "carrete-bench-peer-"));
  execFileSync(process.execPath, [fileURLToPath(new URL("peer/build.mjs", import.meta.url)), folder], { stdio: ["ignore", 2, 2] });
  const files = new Map(
    readdirSync(folder).map((name) => [
      name === "index.html" ? "/" : `/${name}`,
      { type: TYPES[extname(name)], body: gzipSync(readFileSync(join(folder, name)), { level: 9 }) },
    ]),
  );
  rmSync(folder, { recursive: true });

  const server = createServer((request, answer) => {
    const file = files.get(new URL(request.url, "http://peer").pathname);
    if (!file) return answer.writeHead(404).end();
    answer.writeHead(200, { "content-type": file.type, "content-encoding": "gzip", "content-length": file.body.length }).end(file.body);
  });
  await new Promise((resolve, reject) => server.once("error", reject).listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${server.address().port}`;
  return {
    url,
    /** The page with the channels of the Carrete at this address, which must have our `url` among its CORS_ORIGINS. */
    showing: (carrete) => `${url}/?from=${encodeURIComponent(carrete)}`,
    stop() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}
