#!/usr/bin/env bash
# Counts the instructions that the agent of the release build needs for one read of a guest and for one call of its
# metrics, and fails if a count is more than a twentieth off what etc/instructions.txt says. Instructions, unlike times,
# are the same on a busy machine; they are those of this compiler and these libraries (Debian 12, x86-64), and elsewhere
# nothing is compared. Takes some ten seconds.
#
# Usage: etc/check-instructions.sh [--renew]     --renew: writes the counts instead, after a change that is meant
# Environment: BUILD   the build (default build/release), which has to be there
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

build=${BUILD:-build/release}
kept=etc/instructions.txt
requests=500
guest=00000000-0000-4000-8000-000000000001
state=$(mktemp -d)
pids=()

finish() {
  [ ${#pids[@]} -eq 0 ] || kill "${pids[@]}" 2>/dev/null || true
  wait
  rm -rf "$state"
}
trap finish EXIT

die() {
  echo "$*" >&2
  [ ! -s "$state/log" ] || tail -n 5 "$state/log" >&2
  exit 1
}

ask() {
  curl --silent --show-error --fail --max-time 60 --unix-socket "$state/agent" "$@"
}

# begin NAME COMMAND...: starts it, and waits for its socket.
begin() {
  local name=$1 socket=$state/$1
  shift
  "$@" >>"$state/log" 2>&1 &
  pids+=($!)
  for _ in {1..600}; do
    [ ! -S "$socket" ] || return 0
    kill -0 "${pids[-1]}" 2>/dev/null || break
    sleep 0.1
  done
  die "$name does not listen"
}

# Every URL is the same request: curl sends no fragment. One connection.
send() {
  local path=$1 times=$2
  ask --output /dev/null "http://agent$path#[1-$times]"
}

control() {
  callgrind_control "$@" "${pids[-1]}" >/dev/null 2>&1 || die "callgrind does not answer"
}

# of_dump [FUNCTION]: what all functions executed themselves; or FUNCTION with all that it called. In a dump a name is
# written once, as "(number) name", and later only as "(number)".
of_dump() {
  awk -v wanted="${1:-}" '
    /^(summary|totals):/ && !all { all = $2 }
    /^c?fn=\(/ { split($0, part, /[()]/); if (wanted && index($0, wanted)) is[part[2]] = 1 }
    /^cfn=\(/ { called = part[2] }
    counts { counts = 0; if (called in is) sum += $2 }
    /^calls=/ { counts = 1 }
    END { printf "%d\n", wanted ? sum : all }'
}

# once PATH [FUNCTION]: instructions for each of many requests.
once() {
  local dump
  control --zero
  send "$1" "$requests"
  rm -f "$state"/callgrind.*
  control --dump
  dump=$(find "$state" -name 'callgrind.*' -print -quit)
  [ -n "$dump" ] || die "callgrind wrote nothing"
  echo "$(($(of_dump "${2:-}" <"$dump") / requests))"
}

# The least of three counts, when all that the first requests make is there: what threads do by the clock only adds.
count() {
  send "$1" 50
  for _ in 1 2 3; do once "$@"; done | sort -n | head -n 1
}

# differs NAME COUNT: says so where it is off.
differs() {
  awk -v name="$1" -v is="$2" '
    $1 == name { was = $2 }
    END {
      if (!was) { print name ": no count is kept"; exit 0 }
      printf "%s: %d instructions, kept are %d (%+.1f %%)\n", name, is, was, 100 * (is / was - 1)
      exit (is < 0.95 * was || is > 1.05 * was) ? 0 : 1
    }' "$kept"
}

printf '%s' '{"services": {"test": {"socket": "'"$state"'/test"}}, "dbpath": "'"$state"'/agent.db", "actions": {
  "create": {"stages": [{"service": "test", "method": "Test.Create"}]},
  "cpuMetrics": {"stages": [{"service": "test", "method": "Test.CpuMetrics"}]}}}' >"$state/config.json"
begin test "$build/mistify-test-agent" --socket "$state/test"
export TCMALLOC_SAMPLE_PARAMETER=0 # samples of the heap come by chance
begin agent valgrind --quiet --tool=callgrind --callgrind-out-file="$state/callgrind.%p" \
  "$build/mistify-agent" --address "unix:$state/agent" --config-file "$state/config.json"
job=$(ask --dump-header - --output /dev/null --data '{"id": "'$guest'", "memory": 512, "cpu": 1, "name": "one",
  "nics": [{"name": "net0", "network": "lan", "model": "virtio", "mac": "52:54:00:00:00:01"}],
  "disks": [{"bus": "virtio", "device": "vda", "size": 1024}], "metadata": {"owner": "somebody"}}' http://agent/guests |
  sed -n 's/^X-Guest-Job-ID: \([^\r]*\).*/\1/p')
[ -n "$job" ] || die "the guest was not made"
ask --output /dev/null "http://agent/jobs/$job?wait=60s"

# A read is answered by the thread that takes it: all of it is below this function. A call passes several threads.
get=$(count "/guests/$guest" 'http::server::impl::dispatch(')
metrics=$(count "/guests/$guest/metrics/cpu")
if [ "${1:-}" = --renew ]; then
  printf '# Instructions a request: etc/check-instructions.sh --renew writes them.\nget %d\nmetrics %d\n' \
    "$get" "$metrics" >"$kept"
  cat "$kept"
  exit 0
fi
# shellcheck disable=SC1091 # of the system
if [ "$(. /etc/os-release && echo "$ID $VERSION_ID") $(uname -m)" != "debian 12 x86_64" ]; then
  echo "instructions: get $get, metrics $metrics; not compared, since this is not Debian 12 on x86-64"
  exit 0
fi
wrong=0
for one in "get $get" "metrics $metrics"; do
  # shellcheck disable=SC2086 # a name and a count
  if differs $one; then wrong=1; fi
done
[ "$wrong" -eq 0 ] || die "A change that is meant: etc/check-instructions.sh --renew, and the figure in etc/doc/speed.md"
