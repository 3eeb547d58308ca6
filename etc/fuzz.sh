#!/usr/bin/env bash
# Runs the fuzz targets of test/fuzz/ and prints a line for each. A finding fails; its input is kept and named.
#
# Usage: etc/fuzz.sh [--seconds N] [--keep] [TARGET...]     (default: all targets, 20 seconds each)
#        etc/fuzz.sh --list                                 prints the names of the targets
#
# The corpus grows in build/fuzz/corpus/ from run to run, beginning with the seeds in test/fuzz/corpus/, so that a long
# run goes on where the last one ended. --keep copies into the seeds what reaches code that they do not.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=etc/packages.sh
. etc/packages.sh

seeds=test/fuzz/corpus
output=build/fuzz
seconds=20
keep=no
targets=()

usage() {
  sed -n '/^# Usage/,/^#  *etc/s/^# //p' "$0" >&2
  exit 2
}

while [ $# -gt 0 ]; do
  case $1 in
  --list) exec ls "$seeds" ;;
  --keep) keep=yes ;;
  --seconds)
    [[ ${2:-} =~ ^[1-9][0-9]*$ ]] || usage
    seconds=$2
    shift
    ;;
  *)
    [[ $1 != -* && -d $seeds/$1 ]] || usage
    targets+=("$1")
    ;;
  esac
  shift
done
[ "${#targets[@]}" -gt 0 ] || mapfile -t targets < <(ls "$seeds")

# Prints only what went wrong.
build() {
  local log
  # ccache does not know that this file changes what the compiler makes.
  export CCACHE_EXTRAFILES=test/fuzz/ubsan.ignore
  log=$(cmake --preset fuzz 2>&1 && cmake --build --preset fuzz 2>&1) || {
    echo "$log"
    return 1
  }
}

dictionary() {
  case $1 in
  http_*) echo test/fuzz/http.dict ;;
  *) echo test/fuzz/json.dict ;;
  esac
}

# stat_of LOG NAME: the last of libFuzzer's final statistics of that name.
stat_of() {
  sed -n "s/^stat::$2: *//p" "$1" | tail -n 1
}

run_target() {
  local target=$1 binary=$output/test/fuzz/fuzz_$1 corpus=$output/corpus/$1 log=$output/$1.log verdict=0 finding
  mkdir -p "$corpus" "$output/findings"
  # An input that takes 10 s or 2 GB is a finding, too.
  "$binary" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
    -dict="$(dictionary "$target")" -artifact_prefix="$output/findings/$target-" \
    "$corpus" "$seeds/$target" >"$log" 2>&1 || verdict=$?
  printf '%-16s %9s runs, %d s, %d inputs and %d seeds, %s MB\n' "$target" "$(stat_of "$log" number_of_executed_units)" \
    "$seconds" "$(find "$corpus" -type f | wc -l)" "$(find "$seeds/$target" -type f | wc -l)" \
    "$(stat_of "$log" peak_rss_mb)"
  [ "$verdict" -ne 0 ] || return 0
  grep -E 'does not hold|runtime error|ERROR:|SUMMARY|^ *#[0-9]+ 0x' "$log" | head -n 40
  finding=$(sed -n 's/.*Test unit written to //p' "$log" | tail -n 1)
  echo "FAILED, all output: $log; again: $binary ${finding:-$seeds/$target/*}"
  return 1
}

# Takes over the smallest inputs that add to what the seeds reach.
keep_new() {
  "$output/test/fuzz/fuzz_$1" -merge=1 "$seeds/$1" "$output/corpus/$1" >>"$output/$1.log" 2>&1
}

# Debian's clang looks for the symbolizer of its own version only, a large package; any version does.
if symbolizer=$(command -v llvm-symbolizer-16 || command -v llvm-symbolizer); then
  export ASAN_SYMBOLIZER_PATH=$symbolizer
fi

install_packages "${BUILD_PACKAGES[@]}" "${TEST_PACKAGES[@]}" "${FUZZ_PACKAGES[@]}"
build
failed=0
for target in "${targets[@]}"; do
  if ! run_target "$target"; then
    failed=1
  elif [ "$keep" = yes ]; then
    keep_new "$target"
  fi
done
exit "$failed"
