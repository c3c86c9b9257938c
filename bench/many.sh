#!/usr/bin/env bash
# Makes many channels that cost no space: many.sh DIR N. All share the files of one, by hard links. Channels already there are
# kept, others removed.
set -euo pipefail

dir=${1:?which folder? many.sh DIR N} n=${2:?how many? many.sh DIR N}
one=$dir/.one
if ! grep -qs ENDLIST "$one/playlist.m3u8"; then
  rm -rf "$one"
  mkdir -p "$one"
  ffmpeg -nostdin -v error -f lavfi -i testsrc2=s=160x284:r=15 -f lavfi -i sine=sample_rate=48000 -t 2 \
    -c:v libx264 -preset veryfast -pix_fmt yuv420p -c:a aac -b:a 32k -hls_time 2 -hls_list_size 0 -f hls "$one/playlist.m3u8"
fi
node - "$dir" "$n" <<'NODE'
const { existsSync, linkSync, mkdirSync, readdirSync, rmSync } = require("node:fs");
const [dir, n] = [process.argv[2], Number(process.argv[3])];
const files = readdirSync(`${dir}/.one`);
const wanted = new Set(Array.from({ length: n }, (_, i) => `canal_${i}`));
for (const name of readdirSync(dir)) {
  if (!name.startsWith(".") && !wanted.has(name)) rmSync(`${dir}/${name}`, { recursive: true });
}
for (const name of wanted) {
  if (existsSync(`${dir}/${name}/playlist.m3u8`)) continue;
  mkdirSync(`${dir}/${name}`, { recursive: true });
  for (const file of files.sort().reverse()) linkSync(`${dir}/.one/${file}`, `${dir}/${name}/${file}`);
}
NODE
