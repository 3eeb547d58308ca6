#!/usr/bin/env bash
# Installs what the tests need, builds, and runs every test. Ends in a line "N passed, N failed".
#
# Usage: etc/test.sh [--full | --long | --tsan]
#   --full  has the tests run with AddressSanitizer and UndefinedBehaviorSanitizer too, clang-tidy look at all code, and each
#           fuzz target run for five seconds: three more builds
#   --long  as --full, but kills the agent 300 times under load instead of 12, and fuzzes each target for a minute
#   --tsan  runs the tests under ThreadSanitizer, and nothing else. TSAN_CAF may name a directory with a libcaf_core.so that
#           was built with -fsanitize=thread; without it, races that an actor has a part in are not seen.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=etc/packages.sh
. etc/packages.sh

mode=plain
fuzz_seconds=5
case ${1:-} in
"") ;;
--full) mode=full ;;
--long)
  mode=full
  fuzz_seconds=60
  export MISTIFY_CRASH_ROUNDS=300
  ;;
--tsan) mode=tsan ;;
*)
  echo "usage: etc/test.sh [--full | --long | --tsan]" >&2
  exit 2
  ;;
esac

passed=0
failed=0
times=()

# timed NAME COMMAND...: runs it, notes what it took, returns what it returned.
timed() {
  local name=$1 begin=$SECONDS verdict=0
  shift
  printf '\n== %s\n' "$name"
  "$@" || verdict=$?
  times+=("$(printf '%4d s  %s%s' $((SECONDS - begin)) "$name" "$([ $verdict -eq 0 ] || echo ': FAILED')")")
  return "$verdict"
}

# check NAME COMMAND...: counts as one test.
check() {
  if timed "$@"; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
  fi
}

build() {
  local preset=$1 log
  log=$(cmake --preset "$preset" -DMISTIFY_TESTS=ON 2>&1) || {
    echo "$log"
    return 1
  }
  cmake --build --preset "$preset"
}

# tally LOG: "PASSED FAILED" test cases of a verbose ctest run. A binary that ended without Catch's summary (a crash, a
# sanitizer's report, a time-out) counts as one failure.
tally() {
  awk '
    /^ *[0-9]+: All tests passed/ { passed += value_before("test case") }
    /^ *[0-9]+: test cases:/      { passed += value_before("passed"); n = value_before("failed"); failed += n
                                    if (n > 0) told_failure[$1 + 0] = 1 }
    /Test +#[0-9]+:.* sec *$/ {
      match($0, /#[0-9]+/); id = substr($0, RSTART + 1, RLENGTH - 1) + 0
      if ($0 !~ /Passed/ && !(id in told_failure)) failed++
    }
    function value_before(word,   found) {
      if (!match($0, "[0-9]+ " word)) return 0
      return substr($0, RSTART) + 0
    }
    END { print passed + 0, failed + 0 }' "$1"
}

# Prints a failing binary's output whole, of the others only that they passed.
report() {
  grep -E 'Test +#[0-9]+:.* sec *$' "$1" || true
  local id
  sed -nE 's/.*Test +#([0-9]+):.*\*\*\*.* sec *$/\1/p' "$1" | while read -r id; do
    grep -E "^ *$id: " "$1" || true
  done
}

run_tests() {
  local directory=$1 log=$1/test.log verdict=0 counts
  ctest --test-dir "$directory" -V -j "$(nproc)" --timeout $((600 + 4 * ${MISTIFY_CRASH_ROUNDS:-0})) --no-tests=error >"$log" 2>&1 || verdict=$?
  report "$log"
  counts=$(tally "$log")
  passed=$((passed + ${counts% *}))
  failed=$((failed + ${counts#* }))
  echo "${counts% *} test cases passed, ${counts#* } failed (all output: $log)"
  # ctest can fail without a test that did, such as when there is none.
  if [ "$verdict" -ne 0 ] && [ "${counts#* }" -eq 0 ]; then
    tail -n 5 "$log"
    failed=$((failed + 1))
  fi
  return "$verdict"
}

# build_and_test PRESET: a build that fails counts as one failure; one that does not is no test. Notes how long it took.
build_and_test() {
  local begin=$SECONDS built=0
  timed "build: $1" build "$1" || built=$?
  build_seconds=$((SECONDS - begin))
  if [ "$built" -eq 0 ]; then
    timed "tests: $1" run_tests "build/$1" || true
  else
    failed=$((failed + 1))
  fi
}

# The daemon that the system tests start has no terminal: reports go to files, and any is a failure.
no_races() {
  local reports
  mapfile -t reports < <(find build/tsan -name 'race.*')
  [ "${#reports[@]}" -eq 0 ] || {
    cat "${reports[@]}"
    return 1
  }
}

under_tsan() {
  rm -f build/tsan/race.*
  export TSAN_OPTIONS="log_path='$PWD/build/tsan/race'"
  if [ -n "${TSAN_CAF:-}" ]; then
    export LD_LIBRARY_PATH=$TSAN_CAF
  else
    TSAN_OPTIONS+=" suppressions='$PWD/test/tsan.supp'"
  fi
  build_and_test tsan
  check "races" no_races
}

# fits SECONDS NAME: is there time left for what may take so long? MISTIFY_END is when the run has to be over, in seconds
# since the epoch; without it there is.
fits() {
  [ -z "${MISTIFY_END:-}" ] || [ "$(($(date +%s) + $1))" -le "$MISTIFY_END" ] || {
    echo "LEFT OUT for want of time: $2"
    return 1
  }
}

full() {
  local target for_asan
  # The release build shows how fast the machine is: with sanitizers it takes up to two and a half times as long.
  for_asan=$((build_seconds * 5 / 2 + 550))
  # What UBSan finds ends the program, as what ASan finds does.
  export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
  unset MISTIFY_CRASH_ROUNDS # hundreds of kills are for the agent as shipped
  if fits 1100 tidy; then check "tidy" etc/check-tidy.sh; fi
  if fits "$for_asan" asan; then build_and_test asan; fi
  for target in $(etc/fuzz.sh --list); do
    if fits 300 "fuzz: $target"; then check "fuzz: $target" etc/fuzz.sh --seconds "$fuzz_seconds" "$target"; fi
  done
}

timed "packages" install_packages "${BUILD_PACKAGES[@]}" "${TEST_PACKAGES[@]}"
if [ "$mode" = tsan ]; then
  under_tsan
else
  check "layers" etc/check-layers.sh
  check "format" etc/check-format.sh
  build_and_test release
  check "docs" etc/check-docs.sh
  check "openapi" etc/check-openapi.sh
  check "units" etc/check-units.sh
  check "instructions" etc/check-instructions.sh
  check "clients" etc/check-clients.sh
  [ "$mode" = plain ] || full
fi

printf '\n== summary\n'
printf '%s\n' "${times[@]}"
echo
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
