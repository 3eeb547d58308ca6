#!/usr/bin/env bash
# Installs what the agent needs, builds it, and starts it with an example sub-agent beside it, until Ctrl-C.
#
# Usage: etc/run.sh
# Environment: ADDRESS   where the agent listens, host:port (default 127.0.0.1:8080)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=etc/packages.sh
. etc/packages.sh

address=${ADDRESS:-127.0.0.1:8080}
sub_agent_port=9999 # as in etc/example.json
build=build/release
state=build/run # as the dbpath in etc/example.json

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
  cmake --build "$build" --target mistify-agent mistify-test-agent
}

# start NAME COMMAND...: runs it beside this script, with its output in a log file; its process is then in $started.
start() {
  local name=$1
  shift
  # In a session of its own: Ctrl-C is for this script, which then stops one after the other.
  setsid "$@" >"$state/$name.log" 2>&1 &
  started=$!
}

agent="" sub_agent=""

stop() {
  trap '' INT TERM
  # The agent first: what it has under way can then still be answered.
  for pid in $agent $sub_agent; do
    kill -TERM "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
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
mkdir -p "$state"
! listens 127.0.0.1 "$sub_agent_port" ||
  die "Port $sub_agent_port, which the example sub-agent needs, is taken by another program: stop that first."
! listens "$host" "$port" ||
  die "Port $port on $host is taken by another program: stop that, or set ADDRESS=host:port to listen elsewhere."

trap 'stop; exit 0' INT TERM
start mistify-test-agent "$build/mistify-test-agent" -p "$sub_agent_port"
sub_agent=$started
wait_for mistify-test-agent "$sub_agent" listens 127.0.0.1 "$sub_agent_port"
start mistify-agent "$build/mistify-agent" -a "$address" -c etc/example.json -l info
agent=$started
wait_for mistify-agent "$agent" curl -fsS -o /dev/null --max-time 2 --stderr /dev/null "$url/metadata"

cat <<END

The agent listens on $url, with an example sub-agent on port $sub_agent_port; both log to $state/.
Ctrl-C stops both. Try, in another terminal:

  curl -i $url/guests -d '{"memory":512,"cpu":1,"disks":[{"size":1024}],"nics":[{"network":"lan"}]}'
  curl $url/guests
  curl $url/jobs
  curl -X POST $url/guests/ID/reboot        with the id that the first answer holds

END

# Whichever ends first: on its own, neither is of use.
wait -n "$agent" "$sub_agent" || true
if kill -0 "$agent" 2>/dev/null; then
  give_up mistify-test-agent
fi
give_up mistify-agent
