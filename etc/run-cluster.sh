#!/usr/bin/env bash
# A cluster on one machine, until Ctrl-C: etcd and three agents, each on a loopback address of its own, with an example
# sub-agent that makes up their guests. See etc/doc/cluster.md.
#
# Usage: etc/run-cluster.sh        (or etc/run.sh --cluster)
# Environment: STATE    folder of everything (default build/cluster)
#              MEMBERS  members of etcd, on 127.0.0.1, .2, … (default 1)
#              TTL      seconds until a host counts as dead (default 15)
#              PORT     where the agents listen (default 8080)
#              ETCD_PORT  where etcd listens, and one above it (default 12379: a packaged
#                         etcd has 2379)
#              BUILD=no   uses the binaries that are there
#              BIN        the folder of the binaries (default build/release)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=etc/packages.sh
. etc/packages.sh

build=${BIN:-build/release}
state=${STATE:-build/cluster}
members=${MEMBERS:-1}
ttl=${TTL:-15}
port=${PORT:-8080}
etcd_port=${ETCD_PORT:-12379}
agents=(1 2 3)
pids=()

die() {
  echo "$*" >&2
  exit 1
}

# start NAME COMMAND...: runs it beside this script, with its output in a log file, and its process in a file.
start() {
  local name=$1
  shift
  setsid "$@" >>"$state/$name.log" 2>&1 &
  echo $! >"$state/$name.pid"
  pids+=($!)
}

# end PID: asks it to end, and kills it after 20 seconds.
end() {
  local latest=$((SECONDS + 20))
  kill -TERM "$1" 2>/dev/null || return 0
  while kill -0 "$1" 2>/dev/null; do
    [ "$SECONDS" -lt "$latest" ] || {
      echo "KILLED: $(grep -lx "$1" "$state"/*.pid) did not end" >&2
      kill -KILL "$1" 2>/dev/null || true
      break
    }
    sleep 0.1
  done
  wait "$1" 2>/dev/null || true
}

# In the order of their start, backwards: an agent that ends tells etcd.
stop() {
  trap '' INT TERM EXIT
  local i
  for ((i = ${#pids[@]} - 1; i >= 0; i--)); do
    end "${pids[i]}"
  done
}

# wait_for NAME COMMAND...: until the command succeeds, for at most 30 seconds.
wait_for() {
  local name=$1 tries=300
  shift
  until "$@" >/dev/null 2>&1; do
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || {
      tail -n 5 "$state/$name.log" >&2
      die "$name did not start: see $state/$name.log"
    }
    sleep 0.1
  done
}

# free HOST PORT
free() {
  ! (exec 3<>"/dev/tcp/$1/$2") 2>/dev/null || die "Port $2 on $1 is taken by another program: stop that first."
}

urls=()
start_etcd() {
  local i all=""
  for ((i = 1; i <= members; i++)); do
    all+=${all:+,}n$i=http://127.0.0.$i:$((etcd_port + 1))
    urls+=("http://127.0.0.$i:$etcd_port")
    free "127.0.0.$i" "$etcd_port"
    free "127.0.0.$i" "$((etcd_port + 1))"
  done
  for ((i = 1; i <= members; i++)); do
    start "etcd$i" etcd --name "n$i" --data-dir "$state/etcd$i" --log-level error --enable-v2 \
      --listen-client-urls "${urls[i - 1]}" --advertise-client-urls "${urls[i - 1]}" \
      --listen-peer-urls "http://127.0.0.$i:$((etcd_port + 1))" \
      --initial-advertise-peer-urls "http://127.0.0.$i:$((etcd_port + 1))" --initial-cluster "$all"
  done
  for ((i = 1; i <= members; i++)); do
    wait_for "etcd$i" curl -fsS --max-time 2 "${urls[i - 1]}/health"
  done
}

# start_agent N: with an id of its own and the same sub-agent.
start_agent() {
  local id="00000000-0000-4000-8000-00000000000$1" list
  list=$(printf '%s\n' "${urls[@]}" | jq -R . | jq -s .)
  jq --arg dbpath "$state/agent$1.db" --arg id "$id" --arg ip "127.0.0.$1" --argjson etcd "$list" --argjson ttl "$ttl" \
    '.dbpath = $dbpath | .cluster = {etcd: $etcd, ip: $ip, id: $id, ttl: $ttl}' etc/example.json >"$state/agent$1.json"
  free "127.0.0.$1" "$port"
  start "agent$1" "$build/mistify-agent" -a "127.0.0.$1:$port" -c "$state/agent$1.json" -l info
  wait_for "agent$1" curl -fsS --max-time 2 "http://127.0.0.$1:$port/healthz"
}

install_packages "${RUN_PACKAGES[@]}" etcd-server etcd-client
if [ "${BUILD:-yes}" = yes ]; then
  install_packages "${BUILD_PACKAGES[@]}"
  log=$(cmake --preset release 2>&1) || die "$log"
  cmake --build "$build" --target mistify-agent mistify-test-agent mistify
fi
mkdir -p "$state"
trap 'stop; exit 1' EXIT
trap 'stop; exit 0' INT TERM
start_etcd
free 127.0.0.1 9999
start sub-agent "$build/mistify-test-agent" --port 9999
for n in "${agents[@]}"; do
  start_agent "$n"
done

cat <<END

Three hosts are registered in etcd at $(IFS=,; echo "${urls[*]}"). Everything is kept in $state/, the logs too. Ctrl-C
stops all. Try, in another terminal:

  export PATH=$(realpath "$build"):\$PATH MISTIFY_CLUSTER=$(IFS=,; echo "${urls[*]}")
  mistify --port $port hosts
  mistify --port $port --host 127.0.0.2 create --name web --memory 512 --cpu 1 --wait
  mistify list --all-hosts
  export ETCDCTL_API=3 ETCDCTL_ENDPOINTS=${urls[0]}
  etcdctl get --prefix --keys-only /lochness
  curl -s http://127.0.0.2:$port/readyz | jq .cluster
  etcdctl get --prefix /lochness/agents/00000000-0000-4000-8000-000000000002/
  kill -9 \$(cat $state/agent3.pid)       its heartbeat is gone $ttl seconds later

END
wait
