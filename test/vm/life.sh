#!/usr/bin/env bash
# shellcheck disable=SC2154 # $run and $build are of whoever sources this
# The life of a guest in etc/test-vm.sh, step by step. To be sourced. Each step is run with `set -e`, and leaves the guest
# running unless it says otherwise.

id=0a1b2c3d-0000-4000-8000-000000000001
media=/var/lib/libvirt/images
consoles=/var/log/mistify-libvirt
url=http://localhost

# -- talking with it -------------------------------------------------------------------------------------------------

# ask ARGUMENTS...: curl, at the agent's socket.
ask() {
  curl --unix-socket /run/mistify/agent.sock "$@"
}

# api METHOD PATH [BODY]: the answer's body; fails with it on an error.
api() {
  ask -sS --fail-with-body --max-time 60 -X "$1" "$url$2" ${3:+-d "$3"}
}

# job METHOD PATH [BODY]: sees what is queued there through to its end.
job() {
  local number
  number=$(ask -sS --max-time 60 -o "$run/answer" -D - -X "$1" "$url$2" ${3:+-d "$3"} |
    sed -nE 's/^X-Guest-Job-ID: *([^[:space:]]+).*/\1/ip')
  [ -n "$number" ] || { cat "$run/answer" >&2; return 1; }
  api GET "/jobs/$number?wait=60s" | tee "$run/answer" | jq -e '.Status == "Complete"' >/dev/null ||
    { cat "$run/answer" >&2; return 1; }
}

act() {
  job POST "/guests/$id/$1"
}

# guest FILTER: what jq finds in the guest.
guest() {
  api GET "/guests/$id" | jq -er "$1"
}

is() {
  [ "$(guest .state)" = "$1" ]
}

# boots N: whether it came up N times so far.
boots() {
  [ "$(grep -c '^guest: up' "$consoles/$id.log")" -eq "$1" ]
}

# Sits down at the guest's serial console: QEMU looks every second whether somebody does, and reads nothing before.
open_console() {
  virsh -q -c qemu:///system ttyconsole "$id" >"$run/tty"
  launch console cat "$(<"$run/tty")"
}

# shell COMMAND: types it there.
shell() {
  echo "$1" >"$(<"$run/tty")"
}

says() {
  grep -q "^$1" "$consoles/$id.log"
}

# answers_shell WORD: whether the guest's own shell is there and runs; each WORD once.
answers_shell() {
  shell "echo guest: $1"
  within 20 says "guest: $1"
}

processor_time() {
  api GET "/guests/$id/metrics/cpu" | jq '[.[].cpu_time] | add'
}

# -- its life --------------------------------------------------------------------------------------------------------

make_media() {
  mkdir -p "$2"
  cp "$1"/boot/vmlinuz-* "$2/kernel"
  make_initrd "$1" "$2/initrd.gz"
}

# The config as units have it, less what no sub-agent runs for here.
configure_agent() {
  mkdir -p "$run/agent.d"
  cp etc/agent.d/agent.json etc/agent.d/libvirt.json etc/agent.d/storage.json "$run/agent.d"
}

start_house() {
  start_virtlogd
  start_libvirtd
  start_libvirt_agent
  start_storage_agent
  start_agent
}

creates() {
  job POST /guests '{"id":"'"$id"'","memory":192,"cpu":1,
    "disks":[{"size":16}],"nics":[{"network":"br0"}],
    "metadata":{"boot.kernel":"'"$media"'/kernel","boot.initrd":"'"$media"'/initrd.gz","boot.cmdline":"console=ttyS0 quiet"}}'
  is shutoff
  guest '.disks[0].device == "vda" and (.nics[0].mac | startswith("52:54:00:"))' >/dev/null
}

starts() {
  act start
  open_console
  within 90 boots 1
  fails says "guest: lacks"
  guest '.state == "running" and .vnc == null and (.nics[0].device | startswith("vnet"))' >/dev/null
}

is_measured() {
  local before
  before=$(processor_time)
  shell 'dd if=/dev/vda of=/dev/null bs=1M count=4; ip addr add 10.0.0.2/24 dev eth0; ping -c 2 -W 1 10.0.0.1; echo guest: worked'
  within 30 says "guest: worked"
  jq -ne --argjson a "$before" --argjson b "$(processor_time)" '$b > $a and $a > 0' >/dev/null
  api GET "/guests/$id/metrics/disk" | jq -e '.vda.read_bytes >= 4194304 and .vda.read_ops > 0' >/dev/null
  api GET "/guests/$id/metrics/nic" | jq -e '.net0.tx_packets > 0' >/dev/null
}

# Of the guest itself: QEMU has work of its own, also while nothing runs in it.
guests_time() {
  api GET "/guests/$id/metrics/cpu" | jq '[.[].vcpu_time] | add'
}

is_suspended() {
  local before
  act suspend
  is paused
  before=$(guests_time)
  shell 'echo guest: awake again'
  sleep 1
  [ "$before" = "$(guests_time)" ]
  fails says "guest: awake again"
  act start
  is running
  within 20 says "guest: awake again"
  boots 1
}

reboots() {
  act reboot
  within 90 boots 2
  says "guest: the power button was pressed"
  is running
}

restarts() {
  act restart
  within 90 boots 3
}

survives_the_agent() {
  local qemu
  qemu=$(machine)
  # In the middle of its work: the job is on disk, and its call may be out.
  ask -sS -o "$run/answer" -X POST "$url/guests/$id/suspend"
  end mistify-agent KILL
  start_agent
  act start
  answers_shell "without agent"
  [ "$(machine)" = "$qemu" ]
  boots 3
}

survives_the_sub_agent() {
  end mistify-libvirt KILL
  answers_shell "without sub-agent"
  start_libvirt_agent
  act suspend
  act start
  boots 3
}

survives_libvirtd() {
  end libvirtd
  answers_shell "without libvirtd"
  start_libvirtd
  act suspend
  act start
  answers_shell "with new libvirtd"
  boots 3
}

# The process of the guest's machine.
machine() {
  cat /run/libvirt/qemu/"$id".pid
}

shuts_down() {
  act shutdown
  within 30 is shutoff
}

# takes_down COMMAND STATE: typed on its console, the command ends the guest; the agent knows within a second, of which it
# may have spent some before the machine is gone.
takes_down() {
  local qemu
  act start
  open_console
  within 90 boots "$3"
  qemu=$(machine)
  shell "$1"
  within 20 gone "$qemu"
  within 1 is "$2"
}

powers_itself_off() {
  takes_down 'poweroff -f' shutoff 4
}

crashes() {
  takes_down 'echo c >/proc/sysrq-trigger' crashed 5
}

# What happens while the agent is away is told when it is back.
powers_off_unseen() {
  local qemu
  act start
  open_console
  within 90 boots 6
  qemu=$(machine)
  end mistify-agent KILL
  shell 'poweroff -f'
  within 20 gone "$qemu"
  start_agent
  within 3 is shutoff
}

is_powered_off() {
  act start
  is running
  act poweroff
  is shutoff
}

is_deleted() {
  act start
  job DELETE "/guests/$id"
  [ "$(ask -sS -o /dev/null -w '%{http_code}' "$url/guests/$id")" = 404 ]
  [ -z "$(virsh -q -c qemu:///system list --all)" ]
  [ -z "$(ls "$consoles")" ]
}
