#!/usr/bin/env bash
# Runs real containers on podman and on dockerd, driven through the agent's REST API. Ends in a line "N passed, N failed".
# Needs root, for the namespaces in which all of it happens: nothing that is started here sees this machine's network,
# processes or engines, and everything ends with this script. A machine that cannot run containers fails.
#
# Usage: etc/test-containers.sh [podman | docker]
# With MISTIFY_BUILD, a folder of binaries, nothing is built: those are tested.
# MISTIFY_CROWD: how many containers are created at once, 6. MISTIFY_STARTS: how many starts are measured, 15.
# Logs and the agent's database of the last run are in build/containers/.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=etc/packages.sh
. etc/packages.sh
# shellcheck source=test/shell.sh
. test/shell.sh
# shellcheck source=test/containers/images.sh
. test/containers/images.sh
# shellcheck source=test/containers/host.sh
. test/containers/host.sh
# shellcheck source=test/containers/life.sh
. test/containers/life.sh
# shellcheck source=test/containers/start_time.sh
. test/containers/start_time.sh

build=${MISTIFY_BUILD:-build/release}
longest=280 # seconds, of one engine

prepare() {
  local log
  install_packages "${BUILD_PACKAGES[@]}" "${RUN_PACKAGES[@]}" "${CONTAINER_PACKAGES[@]}"
  [ -z "${MISTIFY_BUILD:-}" ] || return 0
  log=$(cmake --preset release 2>&1) || { echo "$log"; return 1; }
  cmake --build "$build" --target mistify-agent mistify-container
}

# Cgroups of containers that were killed stay behind: those of this engine's containers, and no others.
sweep_cgroups() {
  local containers=build/containers/$1/store/overlay-containers own=(-path '*/mistify-test/*' -o -name mistify-test) id
  if [ "$1" = podman ]; then
    own=(-false)
    for id in "$containers"/*/; do
      [ -d "$id" ] || continue
      id=${id%/}
      own+=(-o -path "*/libpod_parent/libpod-*${id##*/}*")
    done
  fi
  find /sys/fs/cgroup -depth -type d \( "${own[@]}" \) -exec rmdir {} + 2>/dev/null || true
}

if [ "${1:-}" != --inside ]; then
  prepare
  namespaces=(--mount --pid --net --fork --kill-child --mount-proc)
  passed=0 failed=0
  for engine in ${1:-podman docker}; do
    echo "== $engine"
    sweep_cgroups "$engine"
    rm -rf "build/containers/$engine"
    mkdir -p "build/containers/$engine"
    timeout --foreground --kill-after=5 "$longest" \
      unshare "${namespaces[@]}" bash etc/test-containers.sh --inside "$engine" || true
    sweep_cgroups "$engine"
    read -r p f <"build/containers/$engine/result" || { p=0 f=1; echo "FAILED    no containers can run here"; }
    passed=$((passed + p)) failed=$((failed + f))
  done
  echo
  echo "$passed passed, $failed failed"
  exit "$((failed > 0))"
fi

# -- inside ------------------------------------------------------------------------------------------------------------

engine=$2
run=$PWD/build/containers/$engine
id=0a1b2c3d-0000-4000-8000-000000000001
exec 3>&1
trap 'exit 1' INT TERM
enter_host

passed=0 failed=0

finish() {
  echo "$passed $failed" >"$run/result"
  exit "$((failed > 0))"
}

# check NAME COMMAND...: counts as one test. What comes after one that failed would only fail with it.
check() {
  local name=$1 begin=${EPOCHREALTIME/./} verdict
  shift
  set +e
  (set -e; "$@") 2>"$run/reason"
  verdict=$?
  set -e
  if [ "$verdict" -eq 0 ]; then
    passed=$((passed + 1))
    printf '%6.1f s  %s\n' "$(((${EPOCHREALTIME/./} - begin) / 100000))e-1" "$name"
    return
  fi
  failed=$((failed + 1))
  echo "FAILED    $name"
  tail -n 5 "$run/reason" "$run"/*.log 2>/dev/null || true
  finish
}

check "the engine, the sub-agent and the agent start" starts
check "a docker-archive and an OCI archive are loaded, and are the images of their ids" is_loaded
check "an archive takes no name that it was not given" takes_no_name
check "what is no image archive is refused" is_no_archive
check "a container is created and runs, with its command, environment and volume" is_created
check "it has its bounds, and no rights" has_its_bounds
check "it is measured" is_measured
check "it is suspended, twice, and woken up" is_suspended
check "it reboots by its own signal" reboots
check "it is restarted, whatever it does" restarts
check "the agent is killed, and the container does not notice" survives_the_agent
check "the sub-agent is killed, and the container does not notice" survives_the_sub_agent
check "the engine is killed, which is an error of the call, and is found again" survives_the_engine
check "it is killed, and the agent knows" dies
check "it is killed while the sub-agent is away, and the agent knows when that is back" dies_unseen
check "it is started by somebody else, and the agent knows" is_started_by_others
check "it shuts down by its own signal, and its log has the last word" shuts_down
check "it is removed by somebody else, and the agent knows" is_removed_by_others
check "it is deleted, and nothing is left" is_deleted
check "a container of somebody else under the guest's name is left alone" leaves_others_alone
check "a container runs from the OCI archive, whose image goes only after it" runs_from_oci
check "an archive that its folder has no room for is refused" is_refused_without_room
check "many containers are created at once, and deleted at once" are_created_at_once
check "its nics are measured, each by its network" has_nics
check "what the agent adds to starts is told" is_started_quickly
finish
