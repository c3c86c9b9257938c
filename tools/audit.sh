#!/usr/bin/env bash
# The slow checks, run by hand: tools/audit.sh [step]… ; without a name all of them. Goes on after a failing step.
# webkit, firefox and lighthouse look at target/release/carrete, or at what CARRETE names, as it is.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
. tools/env.sh

views() { git ls-files 'app/*.rs' 'frontend/*.rs' | xargs leptosfmt --check --max-width 100; }
dependencies() { cargo deny --locked --all-features check bans licenses sources; }
advisories() { cargo deny --locked --all-features check advisories; }
unused() { cargo machete --with-metadata; }
webkit() { OPENS=20 node end2end/engines/smoke.mjs webkit; }
firefox() { OPENS=20 node end2end/engines/smoke.mjs firefox; }
# Every view and count of the browser tests.
browser() { FULL=1 tools/test.sh browser; }
lighthouse() { node tools/lighthouse.mjs; }
# What happens a few times in make test: servers and caches that come, go and spoil while somebody watches, and a
# minute of 200 strangers beside 40 people.
faults() {
  FAULT_ROUNDS=100 STORM_SECONDS=60 STORM_STRANGERS=200 STORM_PEOPLE=40 \
    cargo test --locked -p app -p server --features app/ssr --test it -- \
    under_load comes_and_goes without_room five_hundred a_storm_of_strangers
}
scripts() { git ls-files '*.sh' .ci/run | xargs shellcheck --external-sources; }

failed=()
[ $# -gt 0 ] || set -- views dependencies advisories unused scripts browser webkit firefox lighthouse faults
for step in "$@"; do
  printf 'audit: %s\n' "$step"
  if [ "$(type -t "$step")" = function ] && "$step" </dev/null; then
    printf 'audit: %s: fine\n' "$step"
  else
    failed+=("$step")
    printf 'audit: %s: FAILED\n' "$step"
  fi
done
[ ${#failed[@]} -eq 0 ] || { echo "audit: failed: ${failed[*]}"; exit 1; }
echo "audit: everything is fine"
