#!/usr/bin/env bash
# Installs what Carrete is built and tested with: tools/install.sh [build] [run] [dev] [check] [test] [bench] [audit].
# Installs only what is missing, so a second call returns at once. Writes below ~/.cargo, ~/.cache/carrete, ~/.rustup
# and the node_modules of end2end; Debian packages only as root, else it says in one line what to install.
# shellcheck disable=SC2015
set -euo pipefail
cd "$(dirname "$0")/.."
. tools/env.sh

todo=()      # steps to take: "function|what|how long"
packages=()  # Debian packages that are missing and needed
optional=()  # Debian packages that the build can do without
want() { todo+=("$1|$2|$3"); }
have() { command -v "$1" >/dev/null 2>&1; }
has_plugin() { compgen -G "/usr/lib/*/gstreamer-1.0/libgst$1.so" >/dev/null; }
die() { printf 'install: %s\n' "$*" >&2; exit 1; }

add_rust() { rustup toolchain install "$RUST" --profile minimal --component clippy,rustfmt --target wasm32-unknown-unknown; }
add_components() { rustup component add clippy rustfmt; }
add_target() { rustup target add wasm32-unknown-unknown; }

add_packages() {
  export DEBIAN_FRONTEND=noninteractive
  local list=("${packages[@]}" "${optional[@]}") log=$CARRETE_CACHE/apt.log
  { apt-get update -qq && apt-get install -y -qq --no-install-recommends "${list[@]}"; } >"$log" 2>&1 </dev/null ||
    { tail -n 20 "$log" >&2; die "apt-get could not install: ${list[*]}"; }
}

# Optimisation of a tool that runs for seconds is not worth minutes of compiling.
cargo_install() { # name version
  local log=$CARRETE_CACHE/$1.log
  if ! CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 CARGO_PROFILE_RELEASE_OPT_LEVEL=1 \
    cargo install "$1" --locked --version "$2" --color never 2>&1 </dev/null | tee "$log" |
    awk '/^ *Compiling / && ++n % 50 == 0 { print "      " n " crates compiled"; fflush() }'; then
    tail -n 30 "$log" >&2
    die "cargo install $1 $2 failed; the whole log is in $log"
  fi
}
add_leptos() { cargo_install cargo-leptos "$CARGO_LEPTOS"; }
add_bindgen() { cargo_install wasm-bindgen-cli "$(locked_wasm_bindgen)"; }
add_leptosfmt() { cargo_install leptosfmt 0.1.33; }
add_deny() { cargo_install cargo-deny 0.20.2; }
add_machete() { cargo_install cargo-machete 0.9.2; }

# A tool of npm's into the PATH of these scripts: package, version, the command it brings.
npm_tool() {
  npm install --prefix "$CARRETE_CACHE/$1" --no-save --no-audit --no-fund --loglevel=error "$1@$2" </dev/null
  ln -sf "../$1/node_modules/.bin/$3" "$CARRETE_CACHE/bin/$3"
}
has_npm_tool() {
  [ -x "$CARRETE_CACHE/bin/$3" ] && grep -qsF "\"version\": \"$2\"" "$CARRETE_CACHE/$1/node_modules/$1/package.json"
}
add_binaryen() { npm_tool binaryen "$BINARYEN" wasm-opt; }
add_esbuild() { npm_tool esbuild "$ESBUILD" esbuild; }
add_lightningcss() { npm_tool lightningcss-cli "$LIGHTNINGCSS" lightningcss; }

add_lighthouse() {
  npm install --prefix "$CARRETE_CACHE/lighthouse" --no-save --no-audit --no-fund --loglevel=error "lighthouse@$LIGHTHOUSE" </dev/null
}

moto_stamp() { sha256sum tools/moto.txt | cut -c1-64; }
add_moto() {
  local home=$CARRETE_CACHE/moto log=$CARRETE_CACHE/moto.log
  rm -rf "$home"
  { python3 -m venv "$home" && "$home/bin/python" -m pip install --quiet --no-compile --no-deps --only-binary :all: \
    --disable-pip-version-check --requirement tools/moto.txt; } >"$log" 2>&1 </dev/null ||
    { tail -n 20 "$log" >&2; die "moto could not be installed; the whole log is in $log"; }
  moto_stamp > "$home/.stamp"
}

lock_stamp() { sha256sum "$1/package-lock.json" | cut -c1-64; }
locked() { [ "$(cat "$1/node_modules/.lock-stamp" 2>/dev/null)" = "$(lock_stamp "$1")" ]; }
npm_ci() { # folder
  npm ci --prefix "$1" --no-audit --no-fund --loglevel=error </dev/null
  lock_stamp "$1" > "$1/node_modules/.lock-stamp"
}
add_playwright() { npm_ci end2end; }
add_engines() { npm_ci end2end/engines; }

node_from() { # least major version
  [ "$(node -p 'process.versions.node.split(".")[0]')" -ge "$1" ] || die "Node $(node --version) is too old: $1 or newer is needed"
}

for_build() {
  local sysroot
  have rustc || have rustup || die "Rust is missing: install it from https://rustup.rs"
  have node && have npm || die "Node with npm is missing: install version 20 or newer from https://nodejs.org"
  node_from 18
  if sysroot=$(rustc --print sysroot 2>/dev/null); then
    have rustup || rustc --version | grep -qF " $RUST " || die "Rust $RUST is needed, this is $(rustc --version)"
    [ -d "$sysroot/lib/rustlib/wasm32-unknown-unknown" ] || want add_target "the WebAssembly target of Rust" "seconds"
  else
    want add_rust "Rust $RUST" "about a minute, once"
  fi
  have cc || packages+=(gcc libc6-dev)
  [ -f Cargo.lock ] || die "Cargo.lock is missing"
  case "$(wasm-bindgen --version 2>/dev/null)" in
    "wasm-bindgen $(locked_wasm_bindgen)"*) ;;
    *) want add_bindgen "wasm-bindgen $(locked_wasm_bindgen)" "about 3 minutes on two cores, once" ;;
  esac
  has_npm_tool binaryen "$BINARYEN" wasm-opt || want add_binaryen "wasm-opt $BINARYEN" "seconds, once"
  has_npm_tool esbuild "$ESBUILD" esbuild || want add_esbuild "esbuild $ESBUILD" "seconds, once"
  has_npm_tool lightningcss-cli "$LIGHTNINGCSS" lightningcss || want add_lightningcss "lightningcss $LIGHTNINGCSS" "seconds, once"
}

# What rebuilds and reloads on save.
for_dev() {
  if [ "$(cargo-leptos --version 2>/dev/null)" != "cargo-leptos $CARGO_LEPTOS" ]; then
    # It compiles an OpenSSL of its own, which wants these three.
    have make || packages+=(make)
    have pkg-config || packages+=(pkg-config)
    perl -MFindBin -MIPC::Cmd -e 1 2>/dev/null || packages+=(perl)
    want add_leptos "cargo-leptos $CARGO_LEPTOS" "about 12 minutes on two cores, once"
  fi
}

# What the running program calls.
for_run() { have ffmpeg && have ffprobe || optional+=(ffmpeg); }

# The browser tests, and the compiler that checks their types.
want_playwright() { [[ "${todo[*]}" == *add_playwright* ]] || locked end2end || want add_playwright "Playwright" "seconds, once"; }

for_check() {
  local sysroot
  want_playwright
  # A toolchain that is installed anew has them.
  sysroot=$(rustc --print sysroot 2>/dev/null) || return 0
  [ -x "$sysroot/bin/cargo-clippy" ] && [ -x "$sysroot/bin/rustfmt" ] || want add_components "clippy and rustfmt" "seconds"
}

for_test() {
  node_from 20
  for_run
  [ -x "${CHROMIUM:-/usr/bin/chromium-headless-shell}" ] || packages+=(chromium-headless-shell fonts-liberation)
  # The store that conditional reads are tested against is a Python program.
  have python3 && python3 -c 'import ensurepip, venv' 2>/dev/null || packages+=(python3 python3-venv)
  [ "$(cat "$CARRETE_CACHE/moto/.stamp" 2>/dev/null)" = "$(moto_stamp)" ] || want add_moto "moto, a bucket for the tests" "seconds, once"
  packages+=("${optional[@]}")
  optional=()
  want_playwright
  have firefox-esr || packages+=(firefox-esr)
  have Xvfb || packages+=(xvfb)
  have openbox || packages+=(openbox)
  [ -x /usr/bin/WebKitWebDriver ] || packages+=(webkit2gtk-driver)
  # Without them WebKit plays neither H.264 nor AAC.
  has_plugin libav || packages+=(gstreamer1.0-libav)
  has_plugin isomp4 || packages+=(gstreamer1.0-plugins-good)
  has_plugin videoparsersbad || packages+=(gstreamer1.0-plugins-bad)
  locked end2end/engines || want add_engines "the drivers of WebKit and Firefox" "seconds, once"
}

# Times are taken in the browser that people have.
for_bench() { [ -x "${CHROMIUM:-/usr/bin/chromium}" ] || packages+=(chromium fonts-liberation); }

for_audit() {
  for_bench
  have leptosfmt || want add_leptosfmt "leptosfmt" "about 2 minutes, once"
  have cargo-deny || want add_deny "cargo-deny" "about 6 minutes, once"
  have cargo-machete || want add_machete "cargo-machete" "about a minute, once"
  have shellcheck || packages+=(shellcheck)
  grep -qsF "\"version\": \"$LIGHTHOUSE\"" "$CARRETE_CACHE/lighthouse/node_modules/lighthouse/package.json" ||
    want add_lighthouse "Lighthouse $LIGHTHOUSE" "seconds, once"
}

mkdir -p "$CARRETE_CACHE/bin"
for set in "${@:-build}"; do
  case $set in
    build | run | dev | check | test | bench | audit) "for_$set" ;;
    *) die "no set is called '$set': build, run, dev, check, test, bench and audit are" ;;
  esac
done

if [ ${#packages[@]} -gt 0 ] || [ ${#optional[@]} -gt 0 ]; then
  if [ "$(id -u)" = 0 ] && have apt-get; then
    todo=("add_packages|Debian packages: ${packages[*]} ${optional[*]}|about a minute" "${todo[@]}")
  elif [ ${#packages[@]} -gt 0 ]; then
    die "please run: sudo apt-get install -y ${packages[*]}${optional[*]:+ ${optional[*]}}"
  else
    echo "install: ${optional[*]} is missing: without it new channels cannot be made; sudo apt-get install -y ${optional[*]}"
  fi
fi

n=0
for step in "${todo[@]}"; do
  IFS='|' read -r action what long <<<"$step"
  n=$((n + 1)) began=$SECONDS
  printf '[%d/%d] %s … (%s)\n' "$n" "${#todo[@]}" "$what" "$long"
  "$action"
  printf '[%d/%d] %s: done in %d s\n' "$n" "${#todo[@]}" "$what" $((SECONDS - began))
done
