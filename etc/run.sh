#!/usr/bin/env bash
# Installs what the agent needs, builds it, and starts it with its sub-agents, until Ctrl-C: as in production (etc/agent.d,
# with the sub-agents behind unix sockets), with real disks and images, and machines of libvirt's test driver, which are not
# real; or with an example sub-agent that makes up everything.
#
# Usage: etc/run.sh [--example | --containers]
#        etc/run.sh --cluster   etcd and three agents: see etc/run-cluster.sh
#   --containers  containers as well, on podman: needs root. ENGINE names the socket of an engine that runs already
# Environment: ADDRESS   where the agent listens, host:port (default 127.0.0.1:8080); beyond this machine whoever reaches
#                        it may do everything (--insecure)
#              LIBVIRT   libvirt's URI, such as qemu:///system for real machines (default test:///default)
#              STATE     folder of the database, disks, images and logs (default ~/.local/state/mistify; build/run with
#                        --example)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=etc/packages.sh
. etc/packages.sh

address=${ADDRESS:-127.0.0.1:8080}
build=build/release

# The sub-agents' binaries, and the files of the config.
case ${1:-} in
--cluster) exec etc/run-cluster.sh ;;
--example)
  configs=(etc/example.json)
  state=${STATE:-build/run}
  sub_agents=(mistify-test-agent)
  ;;
"" | --containers)
  configs=(etc/agent.d/storage.json etc/agent.d/libvirt.json)
  state=${STATE:-${XDG_STATE_HOME:-$HOME/.local/state}/mistify}
  sub_agents=(mistify-storage mistify-libvirt)
  if [ "${1:-}" = --containers ]; then
    configs+=(etc/agent.d/containers.json)
    sub_agents+=(mistify-container)
  fi
  ;;
*)
  echo "usage: etc/run.sh [--example | --containers | --cluster]" >&2
  exit 2
  ;;
esac

die() {
  echo "$*" >&2
  exit 1
}

# The agent's address as curl wants it; the agent itself also takes a port or a host alone.
case $address in
*:*) host=${address%:*} port=${address##*:} ;;
*[!0-9]*) host=$address port=8080 ;;
*) host="" port=$address ;;
esac
insecure=()
case $host in
127.* | localhost | "[::1]") ;;
*) insecure=(--insecure) ;;
esac
case $host in
"" | 0.0.0.0) host=127.0.0.1 ;;
esac
url=http://$host:$port

# listens HOST PORT: does anything accept connections there?
listens() {
  (exec 3<>"/dev/tcp/$1/$2") 2>/dev/null
}

build_all() {
  local log
  install_packages "${BUILD_PACKAGES[@]}" "${RUN_PACKAGES[@]}"
  log=$(cmake --preset release 2>&1) || die "$log"
  cmake --build "$build" --target mistify-agent "${sub_agents[@]}"
}

# start NAME COMMAND...: runs it beside this script, with its output in a log file; its process is then in $started.
start() {
  local name=$1
  shift
  # In a session of its own: Ctrl-C is for this script, which then stops one after the other.
  setsid "$@" >"$state/$name.log" 2>&1 &
  started=$!
}

# command_of SUB_AGENT: what it is started with, one argument a line.
command_of() {
  case $1 in
  mistify-test-agent) printf '%s\n' --port 9999 ;;
  mistify-storage)
    printf '%s\n' --socket "$sockets/storage.sock" --agent "unix:$sockets/agent.sock" --directory "$state/storage" \
      --allow-net 127.0.0.0/8
    ;;
  mistify-container)
    printf '%s\n' --socket "$sockets/container.sock" --agent "unix:$sockets/agent.sock" --directory "$state/containers" \
      --engine "$engine" --allow-net 127.0.0.0/8
    ;;
  mistify-libvirt)
    printf '%s\n' --socket "$sockets/libvirt.sock" --agent "unix:$sockets/agent.sock" --store "$state/storage" \
      --connect "${LIBVIRT:-test:///default}" --consoles "$state/consoles" \
      --state "$state/libvirt"
    ;;
  esac
}

# says_where NAME: does its log say that it listens?
says_where() {
  grep -qs "^$1 listens on " "$state/$1.log"
}

# Here all run as one user, with the sockets and the database in $state.
configure() {
  local file
  rm -rf "$state/agent.d"
  mkdir -p "$state/agent.d"
  for file in "${configs[@]}"; do
    jq --arg sockets "$sockets" '.services |= map_values(del(.user)
      | if .socket then .socket = $sockets + "/" + (.socket | split("/") | last) else . end)' \
      "$file" >"$state/agent.d/$(basename "$file")"
  done
  jq -n --arg database "$state/agent.db" --arg socket "unix:$sockets/agent.sock" \
    '{dbpath: $database, http: {listen: [$socket]}}' >"$state/agent.d/agent.json"
}

# start_engine: podman's API at a socket of its own, unless ENGINE names another engine's.
start_engine() {
  engine=${ENGINE:-}
  [ -z "$engine" ] || return 0
  command -v podman >/dev/null ||
    die "There is no podman: apt-get install podman, or name an engine's socket, such as ENGINE=/run/docker.sock etc/run.sh --containers"
  [ "$(id -u)" -eq 0 ] || die "podman needs root here: sudo etc/run.sh --containers, or ENGINE=SOCKET"
  engine=$state/podman.sock
  start podman podman system service --time=0 "unix://$engine"
  engine_pid=$started
  wait_for podman "$engine_pid" test -S "$engine"
}

engine_pid=
pids=() # the agent first

stop() {
  trap '' INT TERM
  # The agent first: what it has under way can then still be answered.
  for pid in ${pids[@]+"${pids[@]}"}; do
    kill -TERM "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
  [ -z "$engine_pid" ] || kill -TERM "$engine_pid" 2>/dev/null || true
}

# give_up NAME: says why a process is not what it should be, and leaves.
give_up() {
  echo "$1 stopped. The end of $state/$1.log:" >&2
  tail -n 5 "$state/$1.log" >&2
  stop
  exit 1
}

# wait_for NAME PID COMMAND...: until the command succeeds, for at most 20 seconds.
wait_for() {
  local name=$1 pid=$2 tries=200
  shift 2
  until "$@"; do
    kill -0 "$pid" 2>/dev/null || give_up "$name"
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || give_up "$name"
    sleep 0.1
  done
  # Something else may have answered in its place.
  kill -0 "$pid" 2>/dev/null || give_up "$name"
}

build_all
mkdir -p "$state/consoles"
state=$(realpath "$state")
sockets=$state/sockets
(umask 077 && mkdir -p "$sockets")
if [ "${sub_agents[0]}" = mistify-test-agent ] && listens 127.0.0.1 9999; then
  die "Port 9999, which mistify-test-agent needs, is taken by another program: stop that first."
fi
! listens "$host" "$port" ||
  die "Port $port on $host is taken by another program: stop that, or set ADDRESS=host:port to listen elsewhere."

trap 'stop; exit 0' INT TERM
[ "${1:-}" != --containers ] || start_engine
for name in "${sub_agents[@]}"; do
  mapfile -t arguments < <(command_of "$name")
  start "$name" "$build/$name" "${arguments[@]}"
  pids+=("$started")
  wait_for "$name" "$started" says_where "$name"
done
configure
start mistify-agent "$build/mistify-agent" -a "$address" ${insecure[@]+"${insecure[@]}"} -c "$state/agent.d" -l info
pids=("$started" "${pids[@]}")
wait_for mistify-agent "$started" curl -fsS -o /dev/null --max-time 2 --stderr /dev/null "$url/metadata"

cat <<END

The agent listens on $url; beside it run ${sub_agents[*]}. Everything is kept in $state/, their logs too.
Ctrl-C stops all. Try, in another terminal:

  curl -i $url/guests -d '{"memory":512,"cpu":1,"disks":[{"size":1024}],"nics":[{"network":"default"}]}'
  curl $url/guests
  curl $url/jobs
  curl -X POST $url/guests/ID/start        with the id that the first answer holds

END
[ "${1:-}" != --containers ] || cat <<END
And containers, on $engine, of a file that docker save or podman save wrote, or of a reference:

  curl -i $url/images -d '{"type":"container","id":"busybox","source":"busybox:latest"}'
  curl -i $url/guests -d '{"type":"container","image":"busybox","metadata":{"container.command":"sleep 1000"}}'

END

# Whichever ends first: without it, the others are of no use.
wait -n "${pids[@]}" || true
names=(mistify-agent "${sub_agents[@]}")
for i in "${!pids[@]}"; do
  kill -0 "${pids[i]}" 2>/dev/null || give_up "${names[i]}"
done
