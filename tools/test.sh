#!/usr/bin/env bash
# Every test: tools/test.sh [rust] [tools] [browser] [engines]; without a name all of them. Goes on after a failing part.
# A part that could not run counts as one failed test. Before the sum stands the name of each test that failed, and of
# each that is flaky: it passed at its second try only. More than two of those count as failed (tools/red.mjs). The last
# line is `N passed, N failed`.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
. tools/env.sh

logs=target/test-logs
mkdir -p "$logs"
passed=0 failed=0 table="" names=""

# Adds one part to the sum: name, passed, failed, exit code, seconds. A bad exit code without a failed test is one.
part() {
  local name=$1 good=${2:-0} bad=${3:-0} code=$4 seconds=$5
  if [ "$bad" -eq 0 ] && { [ "$code" -ne 0 ] || [ "$good" -eq 0 ]; }; then bad=1; fi
  passed=$((passed + good)) failed=$((failed + bad))
  table+=$(printf '  %-28s %6d passed %6d failed %6d s' "$name" "$good" "$bad" "$seconds")$'\n'
}

# Adds lines to what is told at the end, where it is found without reading the log.
tell() {
  local line
  while IFS= read -r line; do names+="  $line"$'\n'; done
}

# libtest: `test result: ok. 12 passed; 0 failed; 0 ignored; …`, one line for each test binary and each crate's documents.
rust() {
  local log=$logs/rust.log began=$SECONDS code good bad
  echo "test: Rust tests, unit, integration and documents (compiling takes minutes the first time)"
  # Most of them wait for clocks, sockets and other programs.
  RUST_TEST_THREADS=$((2 * $(nproc))) cargo test --locked -p app -p server --features app/ssr --no-fail-fast </dev/null 2>&1 | tee "$log"
  code=${PIPESTATUS[0]}
  read -r good bad < <(awk '
    /^test result: / { for (i = 2; i <= NF; i++) { if ($i == "passed;") p += $(i - 1); if ($i == "failed;") f += $(i - 1) } }
    END { print p + 0, f + 0 }' "$log")
  tell < <(sed -n 's/^test \(.*\) \.\.\. FAILED$/FAILED \1/p' "$log")
  part "Rust" "$good" "$bad" "$code" $((SECONDS - began))
}

# TAP: `# pass 12`, `# fail 0`.
tools() {
  local log=$logs/tools.log began=$SECONDS code good bad
  echo "test: the scripts in tools/"
  node --test --test-reporter=tap tools/*.test.mjs </dev/null >"$log" 2>&1
  code=$?
  [ "$code" -eq 0 ] || cat "$log"
  tell < <(sed -n 's/^ *not ok [0-9]* - /FAILED /p' "$log")
  good=$(sed -n 's/^# pass //p' "$log")
  bad=$(sed -n 's/^# fail //p' "$log")
  part "scripts" "$good" "$bad" "$code" $((SECONDS - began))
}

# Those that wait for something most of the time go two at a time, those that measure one by one. What is flaky is judged
# for both together.
browser() {
  local began=$SECONDS good bad sort n=0
  local -a sorts=(together alone) reports=() codes=() seconds=()
  if ! tools/build.sh; then
    part "release build" 0 1 1 $((SECONDS - began))
    part "browser (could not run)" 0 1 1 0
    return
  fi
  for sort in "${sorts[@]}"; do
    began=$SECONDS
    reports+=("$PWD/$logs/browser-$sort.json")
    echo "test: browser tests against target/release/carrete, $sort"
    rm -f "${reports[-1]}"
    (cd end2end && PART=$sort PLAYWRIGHT_JSON_OUTPUT_FILE=${reports[-1]} node_modules/.bin/playwright test --reporter=list,json) </dev/null
    codes+=($?) seconds+=($((SECONDS - began)))
  done
  tell < <(node tools/red.mjs "${reports[@]}")
  while read -r good bad; do
    part "browser, ${sorts[n]}" "$good" "$bad" "${codes[n]}" "${seconds[n]}"
    n=$((n + 1))
  done < <(node tools/red.mjs --sums "${reports[@]}")
  # Nobody has counted: that is no success.
  for (( ; n < ${#sorts[@]}; n++)); do part "browser, ${sorts[n]} (not counted)" 0 1 1 "${seconds[n]}"; done
}

# `webkit: what was tried: fine (1.2 s)` or `: FAILED: why`, a line each. Both at a time: each waits for pictures most of the time.
engines() {
  local log began=$SECONDS good bad code engine
  local -A of=()
  if ! tools/build.sh; then
    part "engines (could not run)" 0 1 1 0
    return
  fi
  # Made before two ask for them.
  end2end/streams.sh "$CARRETE_CACHE/test-streams"
  for engine in webkit firefox; do
    echo "test: the smoke suite in $engine"
    SHOTS=$PWD/$logs node end2end/engines/smoke.mjs "$engine" </dev/null >"$logs/$engine.log" 2>&1 &
    of[$engine]=$!
  done
  for engine in webkit firefox; do
    log=$logs/$engine.log
    wait "${of[$engine]}"
    code=$?
    cat "$log"
    good=$(grep -c "^$engine: .*: fine (" "$log")
    bad=$(grep -c "^$engine: .*: FAILED: " "$log")
    tell < <(grep "^$engine: .*: FAILED: " "$log")
    part "$engine" "$good" "$bad" "$code" $((SECONDS - began))
  done
}

for name in "${@:-all}"; do
  case $name in
    all) rust; tools; browser; engines ;;
    rust | tools | browser | engines) "$name" ;;
    *) echo "test: no part is called '$name': rust, tools, browser and engines are" >&2; exit 2 ;;
  esac
done

printf '\n%s%s' "$table" "$names"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
