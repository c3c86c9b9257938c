// A server far away, as the edge is measured before it: it answers late and counts what it is asked for. Below /far it is a web
// server with one film, below /films a bucket with another.
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

import { playlist } from "./film.mjs";

/** Serves these segments in both ways on a free port; each answer waits so long. */
export async function startOrigin(segments, late_ms) {
  const files = new Map();
  for (const folder of ["/far", "/films/stored"]) {
    files.set(`${folder}/playlist.m3u8`, file("application/vnd.apple.mpegurl", Buffer.from(playlist(segments.length))));
    segments.forEach((bytes, n) => files.set(`${folder}/playlist${n}.ts`, file("video/mp2t", bytes)));
  }
  const asked = new Map();
  const server = createServer(async (request, answer) => {
    const { pathname, searchParams } = new URL(request.url, "http://origin");
    asked.set(pathname, (asked.get(pathname) ?? 0) + 1);
    await sleep(late_ms);
    if (searchParams.get("list-type") === "2") return send(answer, 200, { "content-type": "application/xml" }, listing(files));
    const found = files.get(pathname);
    if (!found) return send(answer, 404, {}, Buffer.alloc(0));
    const headers = { "content-type": found.type, etag: found.etag, "last-modified": found.modified };
    const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "");
    if (!range) return send(answer, 200, headers, found.body, request.method);
    const [first, last] = [Number(range[1]), Math.min(Number(range[2] || Infinity), found.body.length - 1)];
    headers["content-range"] = `bytes ${first}-${last}/${found.body.length}`;
    send(answer, 206, headers, found.body.subarray(first, last + 1), request.method);
  });
  await new Promise((resolve, reject) => server.once("error", reject).listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    /** How often this was asked for. */
    asked: (path) => asked.get(path) ?? 0,
    stop() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

function file(type, body) {
  return { type, body, etag: `"${createHash("md5").update(body).digest("hex")}"`, modified: "Thu, 01 Jan 2026 00:00:00 GMT" };
}

function send(answer, status, headers, body, method = "GET") {
  answer.writeHead(status, { ...headers, "content-length": body.length }).end(method === "HEAD" ? undefined : body);
}

function listing(files) {
  const objects = [...files].filter(([path]) => path.startsWith("/films/")).map(
    ([path, { body, etag }]) =>
      `<Contents><Key>${path.slice("/films/".length)}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified>` +
      `<ETag>${etag.replaceAll('"', "&quot;")}</ETag><Size>${body.length}</Size></Contents>`,
  );
  return Buffer.from(`<ListBucketResult><IsTruncated>false</IsTruncated>${objects.join("")}</ListBucketResult>`);
}
