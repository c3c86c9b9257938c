# shellcheck shell=bash disable=SC2034
# What every script here shares: pinned versions, where tools are kept, the PATH. Sourced, never run.

CARGO_LEPTOS=0.3.10
BINARYEN=132.0.0
ESBUILD=0.28.2
LIGHTNINGCSS=1.33.0
LIGHTHOUSE=12.8.2
RUST=$(sed -n 's/^channel *= *"\(.*\)"/\1/p' rust-toolchain.toml)
CARRETE_CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/carrete
export CARRETE_CACHE
export PATH="$CARRETE_CACHE/bin:${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
# The program is target/release/carrete, wherever other projects of this user are built.
unset CARGO_TARGET_DIR CARGO_BUILD_TARGET_DIR

# The command-line wasm-bindgen must be exactly the one that the browser crate was locked with.
locked_wasm_bindgen() {
  awk -F'"' '/^name = "wasm-bindgen"$/ { getline; print $2; exit }' Cargo.lock
}

# A missing toolchain is installed by tools/install.sh, which says so, never in silence by the first call of rustc.
export RUSTUP_AUTO_INSTALL=0
# A machine that may not download toolchains can still hold the right compiler under the name "stable".
if ! rustc --version >/dev/null 2>&1 && rustc +stable --version 2>/dev/null | grep -qF " $RUST "; then
  export RUSTUP_TOOLCHAIN=stable
fi
