#!/usr/bin/env bash
# What must hold before a commit: format, lints for both targets, documentation, types of the browser tests, licences,
# pinned files. Runs every step even when one fails. Tests are `make test`; the slow checks are `make audit`.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
. tools/env.sh

failed=()
step() { # what, command…
  local what=$1 began=$SECONDS
  shift
  printf 'check: %s\n' "$what"
  if "$@" </dev/null; then
    printf 'check: %s: fine (%d s)\n' "$what" $((SECONDS - began))
  else
    failed+=("$what")
    printf 'check: %s: FAILED (%d s)\n' "$what" $((SECONDS - began))
  fi
}
documents() {
  RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps -p server -p app --features app/ssr
}

step "format" cargo fmt --all --check
# The two sides are two products: features are named here, never all of them at once.
step "lints of the server" cargo clippy --locked -p server -p app --features app/ssr --all-targets -- -D warnings
step "lints of the page" cargo clippy --locked -p frontend --target wasm32-unknown-unknown -- -D warnings
step "documentation" documents
step "types of the browser tests" end2end/node_modules/.bin/tsc --project end2end
step "licences" node tools/licences.mjs
step "one list of tools" node tools/container.mjs
step "vendored hls.js" tools/vendor-hls.sh --check

if [ ${#failed[@]} -gt 0 ]; then
  printf 'check: failed:'
  printf ' %s;' "${failed[@]}"
  printf '\n'
  exit 1
fi
echo "check: everything is fine"
