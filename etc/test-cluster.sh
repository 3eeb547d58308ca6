#!/usr/bin/env bash
# The cluster as a user would start it (etc/run-cluster.sh), with real etcd of one member and of three: hosts register, their
# guests are told, members and hosts die, and everything is true again. Then a hundred hosts of the simulator, if it is built.
# Takes about two minutes. Ends in a line "N passed, N failed".
#
# Usage: etc/test-cluster.sh
# Environment: BUILD=no   uses the binaries that are there
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

# check NAME COMMAND...: tries for 30 seconds until it succeeds.
check() {
  local name=$1 tries=150
  shift
  until "$@" >/dev/null 2>&1; do
    tries=$((tries - 1))
    if [ "$tries" -le 0 ]; then
      echo "FAILED: $name"
      failed=$((failed + 1))
      return 0
    fi
    sleep 0.2
  done
  echo "ok: $name"
  passed=$((passed + 1))
}

id_of() { echo "00000000-0000-4000-8000-00000000000$1"; }
value() { etcdctl --endpoints "$endpoints" get --print-value-only "$1"; }
has() { [ -n "$(value "$1")" ]; }
lacks() { local is; is=$(value "$1") && [ -z "$is" ]; } # not so if etcd does not answer
heartbeat() { echo "/lochness/hypervisors/$(id_of "$1")/heartbeat"; }
state_is() { [ "$(curl -fsS "http://127.0.0.$1:$PORT/readyz" | jq -r .cluster.state)" = "$2" ]; }
kill_one() { kill -9 "$(cat "$state/$1.pid")"; }
create_guest() { curl -fsS "http://127.0.0.$1:$PORT/guests" -d '{"memory":64,"cpu":1}' | jq -r .id; }
room_is() { [ "$(value "/lochness/hypervisors/$(id_of "$1")/metadata" | jq ".total_resources.memory - .available_resources.memory")" = "$2" ]; }

start_cluster() {
  rm -rf "${state:?}"/*
  MEMBERS=$1 BUILD=${BUILD:-yes} etc/run-cluster.sh >"$state/out" 2>&1 &
  cluster=$!
  endpoints=http://127.0.0.1:$ETCD_PORT
  for ((i = 2; i <= $1; i++)); do endpoints+=,http://127.0.0.$i:$ETCD_PORT; done
  local n
  # The first start may build.
  until grep -q 'Ctrl-C' "$state/out"; do
    kill -0 "$cluster" || { cat "$state/out"; exit 1; }
    sleep 0.5
  done
  for n in 1 2 3; do
    check "etcd of $1: host $n is registered" has "$(heartbeat "$n")"
    check "etcd of $1: host $n says so" state_is "$n" joined
  done
}

stop_cluster() {
  kill -TERM "$cluster"
  wait "$cluster" || true
  cluster=
}

one_member() {
  start_cluster 1
  local guest
  guest=$(create_guest 2)
  check "a guest has its key" has "/lochness/agents/$(id_of 2)/guests/$guest"
  check "its memory is no room any more" room_is 2 64
  kill_one agent3
  check "a dead host's heartbeat goes" lacks "$(heartbeat 3)"
  check "its metadata stays" has "/lochness/hypervisors/$(id_of 3)/metadata"
  check "a guest that lives keeps its host in the cluster" \
    [ "$(curl -s -o /dev/null -w '%{http_code}' -X POST "http://127.0.0.2:$PORT/host/leave")" = 409 ]
  check "an empty host leaves" curl -fsS -X POST "http://127.0.0.1:$PORT/host/leave"
  check "its keys are gone" lacks "/lochness/hypervisors/$(id_of 1)/metadata"
  kill -TERM "$(cat "$state/agent2.pid")"
  check "a host that stops lets its heartbeat go" lacks "$(heartbeat 2)"
  stop_cluster
}

three_members() {
  start_cluster 3
  local guest
  kill_one etcd1
  endpoints=http://127.0.0.2:$ETCD_PORT,http://127.0.0.3:$ETCD_PORT
  guest=$(create_guest 1)
  check "one of three members dead: a guest has its key" has "/lochness/agents/$(id_of 1)/guests/$guest"
  check "and the hosts stay" state_is 3 joined
  kill_one etcd2
  check "two of three dead: the agents notice" state_is 1 away
  check "and work on" create_guest 1
  stop_cluster
}

simulation() {
  local sim=build/release/test/bench/mistify-cluster-sim
  [ -x "$sim" ] || return 0
  etcd --data-dir "$state/sim" --log-level error --listen-client-urls http://127.0.0.1:12379 \
    --advertise-client-urls http://127.0.0.1:12379 --listen-peer-urls http://127.0.0.1:12380 \
    --initial-advertise-peer-urls http://127.0.0.1:12380 --initial-cluster default=http://127.0.0.1:12380 \
    >"$state/sim.log" 2>&1 &
  cluster=$!
  endpoints=http://127.0.0.1:12379
  check "etcd for the simulator" curl -fsS http://127.0.0.1:12379/health
  check "a hundred hosts of the simulator" "$sim" --etcd http://127.0.0.1:12379 --hosts 100 --rest 5 --ttl 5
  stop_cluster
}

one_member
BUILD=no
three_members
simulation
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
