#!/usr/bin/env bash
# shellcheck disable=SC2154 # what is not set here is of whoever sources this, and of life.sh and storage.sh
# What a user of the hypervisor who is nobody to the agent tries in etc/test-vm.sh, while a guest with VNC and a snapshot runs
# and daemons run as their units have them. To be sourced, behind storage.sh.

# nobody COMMAND...: runs it as the user nobody, who is in no group.
nobody() {
  setpriv --reuid nobody --regid nogroup --clear-groups "$@"
}

# status_for_nobody METHOD PATH: of the agent's answer.
status_for_nobody() {
  nobody curl -sS -o /dev/null -w '%{http_code}' -X "$1" --unix-socket /run/mistify/agent.sock "http://localhost$2"
}

# denied COMMAND...: whether nobody cannot run it with success.
denied() {
  ! nobody "$@" &>/dev/null || {
    echo "nobody can: $*" >&2
    return 1
  }
}

prepares_secrets() {
  job POST /guests '{"id":"'"$id"'","memory":192,"cpu":1,"vnc":-1,"disks":[{"size":16}],
    "metadata":{"vnc.password":"s3cr3t","boot.kernel":"'"$media"'/kernel","boot.initrd":"'"$media"'/initrd.gz","boot.cmdline":"console=ttyS0 quiet"}}'
  is_up 1
}

asks_the_agent_in_vain() {
  local route
  for route in "GET /guests" "GET /guests/$id" "GET /jobs" "GET /events" "GET /metadata" "GET /metrics" "GET /metrics/guests" \
    "GET /images" "GET /guests/$id/snapshots" "GET /guests/$id/snapshots/x/download" "GET /debug/actors" \
    "GET /debug/pprof/heap" "GET /tokens" "POST /guests" "POST /tokens" "POST /images" "POST /guests/$id/poweroff" \
    "DELETE /guests/$id" "PUT /guests/$id/state" "PUT /debug/log-level"; do
    # shellcheck disable=SC2086 # two words
    [ "$(status_for_nobody $route)" = 401 ] || { echo "$route: $(status_for_nobody $route)" >&2; return 1; }
  done
  [ "$(status_for_nobody GET /healthz)" = 200 ]
  is running
}

# Past the agent, to what it calls; and in the place of any of them.
calls_no_sub_agent() {
  local socket name port
  for name in storage libvirt; do
    socket=/run/mistify-$name/$name.sock
    [ "$(stat -c '%a %U %G' "$socket")" = "660 mistify-$name mistify-agent" ]
    denied curl -s --unix-socket "$socket" http://localhost/_mistify_RPC_
    denied ls "/run/mistify-$name"
    denied rm -f "$socket"
    denied touch "/run/mistify-$name/x"
  done
  denied rm -f /run/mistify/agent.sock
  denied mv /run/mistify/agent.sock /run/mistify/other.sock
  denied touch /run/mistify/x
  for port in 8080 19999 20001; do
    fails listens "$port"
  done
  denied virsh -q -c qemu:///system list
}

reads_no_file() {
  local file
  for file in "/var/lib/mistify-storage/guests/$id/disk-0.qcow2" /var/lib/mistify-storage/images \
    /var/lib/mistify-agent/agent.db /var/lib/mistify-agent; do
    [ -e "$file" ]
    denied head -c 1 "$file"
    denied ls "$file"
  done
  [ -s "$consoles/$id.log" ]
  denied head -c 1 "$consoles/$id.log"
  denied ls "$consoles"
  [ "$(stat -c '%a %U %G' "/var/lib/mistify-storage/guests/$id/disk-0.qcow2")" = "660 mistify-storage mistify-disks" ]
  [ "$(stat -c '%a %U %G' /var/lib/mistify-storage/guests)" = "2750 mistify-storage mistify-disks" ]
}

sees_no_screen() {
  local port
  port=$(guest .vnc)
  export -f security_types
  # shellcheck disable=SC2016 # the inner shell's
  [ "$(nobody bash -c 'security_types "$0"' "$port")" = 2 ] # asks for the password
}

# libvirt leaves a disk to its owner, while a machine runs and after it.
leaves_disks_to_their_owner() {
  act poweroff
  [ "$(stat -c '%a %U %G' "/var/lib/mistify-storage/guests/$id/disk-0.qcow2")" = "660 mistify-storage mistify-disks" ]
  job DELETE "/guests/$id"
}
