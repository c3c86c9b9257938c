#!/usr/bin/env bash
# Makes the release build: target/release/carrete, hash.txt beside it, and target/site with every file compressed twice.
# Does nothing when no input has changed. FORCE=1 builds all the same.
set -euo pipefail
cd "$(dirname "$0")/.."
. tools/env.sh
# A stray LEPTOS_SITE_ROOT or the like would quietly send the build somewhere else.
unset "${!LEPTOS_@}"

inputs=(Cargo.toml Cargo.lock rust-toolchain.toml app frontend server style public tools/build.sh tools/env.sh tools/precompress.mjs
  tools/shorten.mjs)
stamp=target/release/.carrete-inputs

fingerprint() {
  { rustc --version; find "${inputs[@]}" -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum; } | sha256sum | cut -c1-64
}
# The files are named after their content; a site of another build does not hold these names.
whole() {
  local css js wasm
  [ -x target/release/carrete ] && [ -s target/release/hash.txt ] || return 1
  css=$(sed -n 's/^css: *//p' target/release/hash.txt)
  js=$(sed -n 's/^js: *//p' target/release/hash.txt)
  wasm=$(sed -n 's/^wasm: *//p' target/release/hash.txt)
  for file in "carrete.$css.css" "carrete.$js.js" "carrete.$wasm.wasm"; do
    [ -s "target/site/pkg/$file" ] && [ -s "target/site/pkg/$file.br" ] && [ -s "target/site/pkg/$file.gz" ] || return 1
  done
}

want=$(fingerprint)
if [ "${FORCE:-0}" = 0 ] && [ "$(cat "$stamp" 2>/dev/null)" = "$want" ] && whole; then
  echo "build: target/release/carrete is up to date"
  exit 0
fi
if [ "$(wasm-bindgen --version 2>/dev/null | cut -d' ' -f2)" != "$(locked_wasm_bindgen)" ]; then
  echo "build: wasm-bindgen $(locked_wasm_bindgen) is needed (Cargo.lock): run tools/install.sh build" >&2
  exit 1
fi

began=$SECONDS
echo "build: release build of the WebAssembly page and of the server (minutes the first time)"
rm -f "$stamp"
# What Leptos calls the page's files. Where the builder keeps its crates is nobody's business, and a panic would carry it in
# every file name.
export LEPTOS_OUTPUT_NAME=carrete RUSTFLAGS="${RUSTFLAGS:-} --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}/registry/src="
cargo build --locked --release -p server --bin carrete </dev/null &
server=$!
trap 'kill "$server" 2>/dev/null || true' EXIT
cargo build --locked -p frontend --lib --target wasm32-unknown-unknown --profile wasm-release --target-dir target/front </dev/null

# Everything is made aside; names follow from the content, so that browsers may keep the files for ever.
site=target/site.part
rm -rf "$site" "$site.work"
mkdir -p "$site/pkg" "$site.work"
cp -r public/. "$site/"
wasm-bindgen --target web --no-typescript --out-name carrete --out-dir "$site.work" \
  target/front/wasm32-unknown-unknown/wasm-release/frontend.wasm
node tools/shorten.mjs "$site.work/carrete_bg.wasm" "$site.work/carrete.js"
# Until nothing gets smaller. Low memory is the end of the stack: nothing of the program lies there.
wasm_features=(--enable-bulk-memory --enable-nontrapping-float-to-int --enable-sign-ext --enable-mutable-globals
  --enable-reference-types --enable-multivalue)
wasm-opt "${wasm_features[@]}" -Oz "$site.work/carrete_bg.wasm" -o "$site.work/small.wasm"
# What has one caller is inlined where it is small: with brotli the bundle was 178 bytes smaller so.
wasm-opt "${wasm_features[@]}" -Oz --low-memory-unused --generate-global-effects --one-caller-inline-max-function-size=30 \
  --converge "$site.work/small.wasm" -o "$site.work/carrete.wasm"
# The page calls these two; classes that wasm-streams exports are nobody's.
printf 'export { default, hydrate } from "./carrete.js";\n' >"$site.work/entry.js"
esbuild "$site.work/entry.js" --bundle --minify --format=esm --legal-comments=none --log-level=warning --outfile="$site.work/page.js"
lightningcss --bundle --minify --targets "defaults and supports es6-module" style/main.css -o "$site.work/carrete.css"

# publish FILE KIND: into the site under its hash, which the server reads from hash.txt.
publish() {
  local hash
  hash=$(sha256sum "$1" | cut -c1-22)
  cp "$1" "$site/pkg/carrete.$hash.$2"
  echo "$2: $hash"
}
{
  publish "$site.work/page.js" js
  publish "$site.work/carrete.wasm" wasm
  publish "$site.work/carrete.css" css
} >"$site.work/hash.txt"
node tools/precompress.mjs "$site" target/precompressed
wait "$server"
rm -rf target/site
mv "$site" target/site
mv "$site.work/hash.txt" target/release/hash.txt
rm -rf "$site.work"
whole || { echo "build: target/site or target/release/hash.txt is not what was built" >&2; exit 1; }
echo "$want" > "$stamp"
echo "build: target/release/carrete is ready after $((SECONDS - began)) s"
