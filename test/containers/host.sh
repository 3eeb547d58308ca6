#!/usr/bin/env bash
# shellcheck disable=SC2154 # $run, $build, $engine and $started are of whoever sources this
# The host under etc/test-containers.sh: an engine, the sub-agent and the agent, in namespaces of their own. To be sourced. Each
# process is in $run/NAME.pid, its output in $run/NAME.log.

# enter_host: gives this shell, which has namespaces of its own, a loopback and the folders that engines write to.
enter_host() {
  local folder
  busybox ip link set lo up
  for folder in /run /var/lib/cni /var/lib/docker; do
    mkdir -p "$run/root$folder" "$folder"
    mount --bind "$run/root$folder" "$folder"
  done
}

launch() {
  local name=$1
  shift
  "$@" >>"$run/$name.log" 2>&1 &
  echo $! >"$run/$name.pid"
}

# end NAME [SIGNAL]: and waits for it.
end() {
  local pid
  pid=$(<"$run/$1.pid")
  kill "-${2:-TERM}" "$pid"
  within 30 gone "$pid"
}

gone() {
  ! kill -0 "$1" 2>/dev/null
}

# within SECONDS COMMAND...: tries until the command succeeds.
within() {
  local end=$((${EPOCHREALTIME/./} + $1 * 1000000))
  shift
  until "$@"; do
    [ "${EPOCHREALTIME/./}" -lt "$end" ] || {
      echo "still not: $*" >&2
      return 1
    }
    sleep 0.05
  done
}

# How Debian's engines run on a machine without systemd, with both versions of cgroups mounted.
start_podman() {
  cat >"$run/containers.conf" <<END
[containers]
default_ulimits = ["nofile=1024:1024","nproc=1024:1024"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
[network]
network_config_dir = "$run/networks"
END
  CONTAINERS_CONF=$run/containers.conf launch engine podman --root "$run/store" --runroot "$run/rr" \
    --storage-driver overlay system service --time=0 "unix://$run/engine.sock"
}

# Containers outlive dockerd with --live-restore only.
start_docker() {
  rm -f "$run/docker.pid"
  launch engine dockerd --data-root "$run/store" --exec-root "$run/x" -H "unix://$run/engine.sock" \
    --pidfile "$run/docker.pid" --live-restore --cgroup-parent /mistify-test
}

start_engine() {
  "start_$engine"
  within 60 ask _ping >"$run/ping"
}

# ask PATH [CURL'S ARGUMENTS]: asks the engine itself. Fails for an error.
ask() {
  local path=$1
  shift
  curl -sf --max-time 60 --unix-socket "$run/engine.sock" "$@" "http://engine/v1.41/$path"
}

# lacks PATH: the engine answers, and has no such thing.
lacks() {
  [ "$(curl -s -o "$run/answer" -w '%{http_code}' --max-time 60 --unix-socket "$run/engine.sock" \
    "http://engine/v1.41/$1")" = 404 ]
}

# refuses COMMAND...: succeeds where the command fails; what it says of that is in $run/why. (`! COMMAND` never ends a script
# under `set -e`.)
refuses() {
  if "$@" >/dev/null 2>"$run/why"; then
    echo "not refused: $*" >&2
    return 1
  fi
}

start_sub_agent() {
  launch mistify-container "$build/mistify-container" --socket "$run/container.sock" --engine "${engine_socket:-$run/engine.sock}" \
    --directory "${state:-$run/state}" --agent http://127.0.0.1:8080
  within 20 grep -q "listens on" "$run/mistify-container.log"
  within 20 curl -so /dev/null --max-time 2 --unix-socket "$run/container.sock" http://localhost/
}

start_agent() {
  launch mistify-agent "$build/mistify-agent" -a 127.0.0.1:8080 -c "$run/agent.json" -l info
  within 20 curl -sfo /dev/null --max-time 2 http://127.0.0.1:8080/healthz
}

# The shipped config's part for containers, at the sub-agent's socket.
configure_agent() {
  jq --arg socket "$run/container.sock" --arg db "$run/agent.db" '{
    actions: (.actions | with_entries(select(.key | startswith("container")))),
    services: (.services | with_entries(select(.key | startswith("mdocker")) | .value |= (del(.port) + {socket: $socket}))),
    dbpath: $db}' etc/agent.json >"$run/agent.json"
}

# -- the agent ---------------------------------------------------------------------------------------------------------

api() {
  local method=$1 path=$2
  shift 2
  curl -s --max-time 90 -X "$method" "http://127.0.0.1:8080$path" "$@"
}

# The id of the job in the head of an answer.
job_in() {
  tr -d '\r' | sed -n 's/^[Xx]-[Gg]uest-[Jj]ob-[Ii][Dd]: //p'
}

# job METHOD PATH [CURL'S ARGUMENTS]: asks for something and waits until its job has ended; fails unless it is complete.
job() {
  local id ended
  id=$(api "$@" -o "$run/answer" -D - | job_in)
  [ -n "$id" ] || {
    echo "no job: $(<"$run/answer")" >&2
    return 1
  }
  ended=$(api GET "/jobs/$id?wait=80s")
  [ "$(jq -r .Status <<<"$ended")" = Complete ] || {
    echo "job ended: $ended" >&2
    return 1
  }
}

state() {
  api GET "/guests/$id" | jq -r .state
}

# is STATE [REASON]
is() {
  local guest
  guest=$(api GET "/guests/$id")
  [ "$(jq -r .state <<<"$guest")" = "$1" ] && { [ $# -lt 2 ] || [ "$(jq -r .state_reason <<<"$guest")" = "$2" ]; }
}

# What the container wrote so far, from the sub-agent.
log_of() {
  curl -sf --max-time 20 --unix-socket "$run/container.sock" http://localhost/guests/log -d "{\"guest\":\"$id\"}"
}

says() {
  log_of | has_line "$1"
}

# The process of the container in this host.
pid_of() {
  ask "containers/mistify-$id/json" | jq -r .State.Pid
}
