#!/usr/bin/env bash
# The cluster as a user would start it (etc/run-cluster.sh), with real etcd of one member and of three: hosts register, their
# guests are told, members and hosts die, and everything is true again. Then a hundred hosts of the simulator, if it is built.
# Takes about two minutes. Ends in a line "N passed, N failed".
#
# Usage: etc/test-cluster.sh
# Environment: BUILD=no   uses the binaries that are there
#              BIN        the folder of the binaries (default build/release)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=etc/packages.sh
. etc/packages.sh
install_packages etcd-server etcd-client curl jq

passed=0
failed=0
state=$(mktemp -d)
export STATE=$state TTL=5 PORT=18080 ETCD_PORT=12379 ETCDCTL_API=3
cluster=

cleanup() {
  [ -z "$cluster" ] || kill -TERM "$cluster" 2>/dev/null || true
  [ -z "$cluster" ] || wait "$cluster" 2>/dev/null || true
  rm -rf "$state"
}
trap cleanup EXIT

ok() {
  echo "ok: $1"
  passed=$((passed + 1))
}

no() {
  echo "FAILED: $1"
  failed=$((failed + 1))
}

# check NAME COMMAND...: tries for 30 seconds until it succeeds.
check() {
  local name=$1 end=$((SECONDS + 30))
  shift
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$end" ] || {
      no "$name"
      return 0
    }
    sleep 0.2
  done
  ok "$name"
}

ask() { curl -sS --max-time 10 "$@"; }

id_of() { echo "00000000-0000-4000-8000-00000000000$1"; }
value() { etcdctl --dial-timeout=2s --command-timeout=3s --endpoints "$endpoints" get --print-value-only "$1"; }
has() { [ -n "$(value "$1")" ]; }
lacks() { local is; is=$(value "$1") && [ -z "$is" ]; } # not so if etcd does not answer
heartbeat() { echo "/lochness/hypervisors/$(id_of "$1")/heartbeat"; }
state_is() { [ "$(ask -f "http://127.0.0.$1:$PORT/readyz" | jq -r .cluster.state)" = "$2" ]; }
kill_one() { kill -9 "$(cat "$state/$1.pid")"; }
create_guest() { ask -f "http://127.0.0.$1:$PORT/guests" -d '{"memory":64,"cpu":1}' | jq -r .id; }
room_is() { [ "$(value "/lochness/hypervisors/$(id_of "$1")/metadata" | jq ".total_resources.memory - .available_resources.memory")" = "$2" ]; }

# The command line: mistify, with the cluster and the port of its agents.
m() { "${BIN:-build/release}/mistify" --cluster "$endpoints" --port "$PORT" "$@"; }
# shows PATTERN COMMAND...: the output of a command has a line that fits the pattern (extended).
shows() {
  local pattern=$1 out
  shift
  out=$(m "$@") && grep -qE -- "$pattern" <<<"$out"
}
# hides PATTERN COMMAND...: it succeeds, and has no such line.
hides() {
  local pattern=$1 out
  shift
  out=$(m "$@") && ! grep -qE -- "$pattern" <<<"$out"
}
# prints TEXT COMMAND...: the output, its lines joined by blanks.
prints() {
  local text=$1 out
  shift
  out=$(m "$@") && [ "$(paste -sd ' ' <<<"$out")" = "$text" ]
}
# exits CODE COMMAND...
exits() {
  local code=$1 is=0
  shift
  m "$@" || is=$?
  [ "$is" = "$code" ]
}

# command_line GUEST: which runs on host 2; nothing else does.
command_line() {
  local guest=$1
  check "mistify hosts: three are alive" prints "ALIVE true true true" hosts -o alive
  check "mistify hosts: one has a guest" shows "^$(id_of 2) +127.0.0.2 +true .* 1 +off$" hosts
  check "mistify list --all-hosts: the guest and its host" shows "^$(id_of 2) +$guest " list --all-hosts
  check "mistify --host ID: that host's guests" shows "^$guest" --host "$(id_of 2)" list -o id
  check "mistify --host IP: another host's have none" prints ID --host 127.0.0.1 list -o id
  check "mistify --host: none in the cluster is exit 3" exits 3 --host 127.0.0.9 list
  check "mistify --host: several is exit 2" exits 2 --host 0000 list
  check "mistify place: the emptier hosts come first" prints "IP 127.0.0.1 127.0.0.3 127.0.0.2" place --memory 64 -o ip
  check "mistify place: no room is exit 4" exits 4 place --memory 99999999
  check "mistify host drain: what runs" shows "^$guest" --host 127.0.0.2 host drain -o id
  check "mistify hosts: it is in maintenance" shows '^127.0.0.2 +on$' hosts -o ip,maintenance
  check "mistify place: it has no room in maintenance" hides '^127.0.0.2$' place --memory 1 -o ip
  check "mistify host maintenance off" m --host 127.0.0.2 host maintenance off
}

start_cluster() {
  rm -rf "${state:?}"/*
  MEMBERS=$1 BUILD=${BUILD:-yes} etc/run-cluster.sh >"$state/out" 2>&1 &
  cluster=$!
  endpoints=http://127.0.0.1:$ETCD_PORT
  for ((i = 2; i <= $1; i++)); do endpoints+=,http://127.0.0.$i:$ETCD_PORT; done
  local n end=$((SECONDS + 120))
  [ "${BUILD:-yes}" = no ] || end=$((SECONDS + 3600)) # the first start may build
  until grep -q 'Ctrl-C' "$state/out"; do
    { kill -0 "$cluster" 2>/dev/null && [ "$SECONDS" -lt "$end" ]; } || {
      cat "$state/out"
      no "etcd of $1: the cluster starts"
      echo "$passed passed, $failed failed"
      exit 1
    }
    sleep 0.5
  done
  for n in 1 2 3; do
    check "etcd of $1: host $n is registered" has "$(heartbeat "$n")"
    check "etcd of $1: host $n says so" state_is "$n" joined
  done
}

# Whatever had to be killed did not end as it should.
stop_cluster() {
  local name=$1
  kill -TERM "$cluster" 2>/dev/null || true
  wait "$cluster" || true
  cluster=
  if grep KILLED "$state/out"; then
    no "$name: everything ends when it is told to"
  else
    ok "$name: everything ends when it is told to"
  fi
}

one_member() {
  start_cluster 1
  local guest
  guest=$(create_guest 2) || no "etcd of 1: a guest is created"
  check "a guest has its key" has "/lochness/agents/$(id_of 2)/guests/$guest"
  check "its memory is no room any more" room_is 2 64
  command_line "$guest"
  kill_one agent3
  check "a dead host's heartbeat goes" lacks "$(heartbeat 3)"
  check "mistify hosts: it is dead" shows '^127.0.0.3 +false +-$' hosts -o ip,alive,maintenance
  check "its metadata stays" has "/lochness/hypervisors/$(id_of 3)/metadata"
  check "a guest that lives keeps its host in the cluster" \
    [ "$(ask -o /dev/null -w '%{http_code}' -X POST "http://127.0.0.2:$PORT/host/leave")" = 409 ]
  check "an empty host leaves" m --host 127.0.0.1 host leave
  check "its keys are gone" lacks "/lochness/hypervisors/$(id_of 1)/metadata"
  kill -TERM "$(cat "$state/agent2.pid")"
  check "a host that stops lets its heartbeat go" lacks "$(heartbeat 2)"
  stop_cluster "etcd of 1"
}

three_members() {
  start_cluster 3
  local guest
  kill_one etcd1
  endpoints=http://127.0.0.2:$ETCD_PORT,http://127.0.0.3:$ETCD_PORT
  guest=$(create_guest 1) || no "etcd of 3: a guest is created"
  check "one of three members dead: a guest has its key" has "/lochness/agents/$(id_of 1)/guests/$guest"
  check "and the hosts stay" state_is 3 joined
  kill_one etcd2
  check "two of three dead: the agents notice" state_is 1 away
  check "and work on" create_guest 1
  stop_cluster "etcd of 3"
}

simulation() {
  local sim=${BIN:-build/release}/test/bench/mistify-cluster-sim url=http://127.0.0.1:$ETCD_PORT peer
  [ -x "$sim" ] || {
    echo "SKIPPED: a hundred hosts of the simulator, because $sim is not built (-DMISTIFY_BENCH=ON)"
    return 0
  }
  peer=http://127.0.0.1:$((ETCD_PORT + 1))
  rm -rf "${state:?}"/*
  etcd --data-dir "$state/sim" --log-level error --listen-client-urls "$url" --advertise-client-urls "$url" \
    --listen-peer-urls "$peer" --initial-advertise-peer-urls "$peer" --initial-cluster "default=$peer" >"$state/out" 2>&1 &
  cluster=$!
  check "etcd for the simulator" ask -f "$url/health"
  if timeout --kill-after=5 120 "$sim" --etcd "$url" --hosts 100 --rest 5 --ttl 5 >"$state/sim.log" 2>&1; then
    ok "a hundred hosts of the simulator"
  else
    tail -n 20 "$state/sim.log"
    no "a hundred hosts of the simulator"
  fi
  stop_cluster "the simulator's etcd"
}

one_member
BUILD=no
three_members
simulation
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
