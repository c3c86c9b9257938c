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
# `cargo leptos` names the files after their content; a site of another build does not hold these names.
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
# Where the builder keeps its crates is nobody's business, and a panic would carry it in every file name.
RUSTFLAGS="${RUSTFLAGS:-} --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}/registry/src=" \
  cargo leptos build --release --cargo-locked </dev/null

# By their names: a build that was cut off may have left others.
named() { echo "target/site/pkg/carrete.$(sed -n "s/^$1: *//p" target/release/hash.txt).$1"; }
node tools/shorten.mjs "$(named wasm)" "$(named js)"
# Once more, until nothing gets smaller. Low memory is the end of the stack: nothing of the program lies there.
wasm_features=(--enable-bulk-memory --enable-nontrapping-float-to-int --enable-sign-ext --enable-mutable-globals
  --enable-reference-types --enable-multivalue)
wasm=$(named wasm)
wasm-opt "${wasm_features[@]}" -Oz --low-memory-unused --generate-global-effects --converge "$wasm" -o "$wasm.small"
mv "$wasm.small" "$wasm"
# Type declarations are for editors, not for pages.
rm -f target/site/pkg/*.d.*.ts target/site/pkg/*.d.ts
node tools/precompress.mjs target/site target/precompressed
whole || { echo "build: target/site or target/release/hash.txt is not what was built" >&2; exit 1; }
echo "$want" > "$stamp"
echo "build: target/release/carrete is ready after $((SECONDS - began)) s"
