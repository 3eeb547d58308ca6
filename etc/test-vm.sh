#!/usr/bin/env bash
# Runs real machines: a small Linux under QEMU and libvirtd, driven through the agent's REST API. Ends in a line
# "N passed, N failed". Needs root, for the namespaces in which all of it happens: nothing that is started here sees this
# machine's network, processes or libvirt, and everything ends with this script.
#
# Usage: etc/test-vm.sh
# Logs, consoles and the agent's database of the last run are in build/vm/.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=etc/packages.sh
. etc/packages.sh
# shellcheck source=test/shell.sh
. test/shell.sh
# shellcheck source=test/vm/linux.sh
. test/vm/linux.sh
# shellcheck source=test/vm/host.sh
. test/vm/host.sh
# shellcheck source=test/vm/life.sh
. test/vm/life.sh
# shellcheck source=test/vm/storage.sh
. test/vm/storage.sh
# shellcheck source=test/vm/power.sh
. test/vm/power.sh
# shellcheck source=test/vm/adoption.sh
. test/vm/adoption.sh
# shellcheck source=test/vm/escape.sh
. test/vm/escape.sh
# shellcheck source=test/vm/nobody.sh
. test/vm/nobody.sh

build=build/release
run=build/vm/run

prepare() {
  local log
  install_packages "${BUILD_PACKAGES[@]}" "${RUN_PACKAGES[@]}" "${VM_PACKAGES[@]}"
  log=$(cmake --preset release 2>&1) || { echo "$log"; return 1; }
  cmake --build "$build" --target mistify mistify-agent mistify-libvirt mistify-storage
  fetch_kernel build/vm/kernel
  rm -rf "$run"
  mkdir -p "$run"
}

if [ "${1:-}" != --inside ]; then
  prepare
  namespaces=(--mount --pid --net --fork --kill-child --mount-proc)
  if ! refusal=$(unshare "${namespaces[@]}" true 2>&1); then
    echo "SKIPPED: no machine was run, since this place allows no namespaces of its own ($refusal)"
    exit 0
  fi
  exec unshare "${namespaces[@]}" bash "$0" --inside
fi

# -- inside ----------------------------------------------------------------------------------------------------------

trap 'exit 1' INT TERM
enter_house "$run/root" build/vm/cache
configure_libvirt
make_media build/vm/kernel "$media"
configure_agent

passed=0 failed=0

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
  tail -n 5 "$run/reason" "$run"/*.log "$consoles"/*.log 2>/dev/null || true
  finish
}

finish() {
  echo
  echo "$passed passed, $failed failed"
  exit "$((failed > 0))"
}

check "libvirtd, the sub-agent and the agent start" start_house
check "a guest is created, off, with its disk and nic filled in" creates
check "it starts, and is up on its serial console" starts
check "it uses its processor, disk and network, and the metrics tell" is_measured
check "it is suspended, and resumed where it was" is_suspended
check "it reboots by its power button" reboots
check "it is restarted, whatever it does" restarts
check "the agent is killed, and the guest does not notice" survives_the_agent
check "the sub-agent is killed, and the guest does not notice" survives_the_sub_agent
check "libvirtd restarts, and the next call finds the new one" survives_libvirtd
check "it shuts down by its power button" shuts_down
check "it powers itself off, and the agent knows within a second" powers_itself_off
check "it crashes, and the agent knows within a second" crashes
check "it powers itself off while the agent is away, which knows when it is back" powers_off_unseen
check "it is powered off" is_powered_off
check "it is deleted while it runs, and nothing is left" is_deleted

id=0a1b2c3d-0000-4000-8000-000000000002
check "an image is fetched over HTTP, unpacked and compared with its sum" is_fetched
check "a guest boots from a disk of the image" boots_from_image
check "it is not snapshotted while it runs, and why is told" is_not_torn
check "it is snapshotted and changed, and a rollback undoes the change" is_rolled_back
check "its snapshot is downloaded while it runs" is_downloaded
check "it is deleted with its disk, and so is the image" is_deleted_with_disk

id=0a1b2c3d-0000-4000-8000-000000000003
check "a guest cannot have the network on which it would reach its host's loopback" cannot_reach_the_host
check "nor does one start on it that has it from before" cannot_start_on_the_user_network
check "it cannot have the host's files as disks" cannot_have_the_hosts_files
check "a guest that writes a head of an image into its disk gets its disk, and no file of the host" cannot_rewrite_its_disk
check "VNC is there for who asks with a password, and asks for it" shows_nothing_without_password

id=0a1b2c3d-0000-4000-8000-000000000004
check "a guest runs, with its disk, console and VNC" prepares_secrets
check "nobody asks the agent in vain" asks_the_agent_in_vain
check "nobody calls no sub-agent, and takes nobody's place" calls_no_sub_agent
check "nobody reads no disk, image, console or database" reads_no_file
check "nobody sees no screen" sees_no_screen
check "a disk stays mistify-storage's whatever its machine does" leaves_disks_to_their_owner

id=0a1b2c3d-0000-4000-8000-000000000005
check "a guest with rules for its power is up" prepares_a_guest_that_comes_back
check "it has its seed, which the agent shows to nobody" has_its_seed
check "its console is read through the agent" is_read_from_outside
check "it is hibernated, and resumed where it was" hibernates
check "it ignores its power button, and is powered off at the deadline" ignores_the_button
check "it crashes, and is started again" is_started_after_a_crash
check "its host loses its power, and it is started when the host is back" comes_back_with_its_host
check "a full store pauses a guest, and it goes on once there is room" waits_for_room

id=0a1b2c3d-0000-4000-8000-000000000006
check "a domain that virsh made runs, with its disks outside of the store" runs_a_domain_made_by_hand
check "it is adopted, and its machine does not notice" is_adopted_while_it_runs
check "agent and sub-agent are killed, and it is their guest still, with more memory from its next start on" is_still_adopted_after_restarts
check "it shuts down and starts with all of its devices, and with its raw disk raw" starts_with_its_devices
check "it gets a disk of the store; the store has no snapshots of the others" takes_more_disks
check "it does not start on other files than were recorded" does_not_start_on_other_files
check "it is deleted, and its own disks are as they were" leaves_its_disks_behind
finish
