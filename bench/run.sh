#!/usr/bin/env bash
# The benchmarks, in one table: bench/run.sh [part]… ; without a name start, list, visit, chat, edge, cold and reels. The part
# growth gives both pages two hundred swipes and runs by name only. "Theirs" is the page of bench/peer, React and Video.js, or
# what a row of edge names; edge wants nginx and wrk.
# Measures target/release/carrete (or CARRETE) as it is and asserts nothing. Test channels are kept in ~/.cache/carrete.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
. tools/env.sh

export CARRETE=${CARRETE:-$PWD/target/release/carrete}
site=${LEPTOS_SITE_ROOT:-$PWD/target/site}
cache=$CARRETE_CACHE/bench
table=$(mktemp)
trap 'rm -f "$table"' EXIT
die() { printf 'bench: %s\n' "$*" >&2; exit 1; }

[ -x "$CARRETE" ] || die "$CARRETE is not there: run make build first"
for tool in ffmpeg node "${CHROMIUM:-/usr/bin/chromium}"; do command -v "$tool" >/dev/null || die "$tool is missing: run make tools"; done
for modules in bench:ws bench:playwright-core bench/peer:esbuild bench/peer:video.js bench/peer:react-dom; do
  folder=${modules%:*}
  [ -d "$folder/node_modules/${modules#*:}" ] ||
    npm ci --prefix "$folder" --no-audit --no-fund --loglevel=error </dev/null >&2 || die "npm ci in $folder failed"
done

began=$SECONDS
echo "bench: making the channels that are missing (half a minute the first time)" >&2
for many in ten:10 hundred:100 many:10000; do
  bench/many.sh "$cache/${many%:*}" "${many#*:}" || die "many.sh could not make its channels"
done
bench/streams.sh "$cache/reels" || die "streams.sh could not make its channels"

failed=0
[ $# -gt 0 ] || set -- start list visit chat edge cold reels
for part in "$@"; do
  case $part in
    start) folders=("$cache/hundred") ;;
    list) folders=("$cache/many" "$cache/ten") ;;
    visit) folders=("$cache/reels" "$site") ;;
    chat) folders=("$cache/ten") ;;
    edge) folders=() ;;
    cold | reels | growth) folders=("$cache/reels") ;;
    *) die "no part is called '$part': start, list, visit, chat, edge, cold, reels and growth are" ;;
  esac
  echo "bench: $part (after $((SECONDS - began)) s)" >&2
  if ! node "bench/$part.mjs" "${folders[@]}" </dev/null >>"$table"; then
    printf '%s\tfailed\t\t\t–\n' "$part" >>"$table"
    failed=1
  fi
done

printf '\n%s, %s cores, %s, after %d s\n\n' "$("$CARRETE" --version)" "$(nproc)" "$(date -u +%F)" $((SECONDS - began))
node -e '
  const rows = require("node:fs").readFileSync(process.argv[1], "utf8").trimEnd().split("\n").map((line) => line.split("\t"));
  rows.unshift(["what", "ours", "theirs", "ratio", "target"]);
  const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => [...row[i]].length)));
  rows.splice(1, 0, widths.map((width) => "-".repeat(width)));
  for (const row of rows) console.log(row.map((cell, i) => cell + " ".repeat(widths[i] - [...cell].length)).join("  ").trimEnd());
' "$table"
exit "$failed"
