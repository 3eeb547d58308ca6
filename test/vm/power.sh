#!/usr/bin/env bash
# shellcheck disable=SC2154 # what is not set here is of whoever sources this, and of life.sh
# How a guest of etc/test-vm.sh goes down, why, and what brings it back. To be sourced, behind storage.sh.

boot_id=/proc/sys/kernel/random/boot_id

# is_because STATE REASON
is_because() {
  guest ".state == \"$1\" and .state_reason == \"$2\"" >/dev/null
}

prepares_a_guest_that_comes_back() {
  job POST /guests '{"id":"'"$id"'","memory":192,"cpu":1,"disks":[{"size":64}],"power":{"restart":"on-crash"},
    "cloud_init":{"user_data":"#cloud-config\npackages: [mistify-seed]","hostname":"web"},
    "metadata":{"boot.kernel":"'"$media"'/kernel","boot.initrd":"'"$media"'/initrd.gz","boot.cmdline":"console=ttyS0 quiet"}}'
  guest '.power.restart == "on-crash" and .wanted == "off"' >/dev/null
  is_up 1
  guest '.wanted == "on"' >/dev/null
}

# What cloud-init would read there, and nobody at the agent.
has_its_seed() {
  shell 'for word in cidata mistify-seed local-hostname; do grep -q $word /dev/vdb && echo guest: has $word; done'
  within 20 says "guest: has local-hostname"
  says "guest: has cidata"
  says "guest: has mistify-seed"
  api GET "/guests/$id" >"$run/shown"
  api GET "/jobs?guest=$id" >>"$run/shown"
  fails grep mistify-seed "$run/shown"
}

# virtlogd's file is root's alone.
is_read_from_outside() {
  local sum
  sum=$(sha256sum <"$consoles/$id.log")
  [ "$(api GET "/guests/$id/log" | sha256sum)" = "$sum" ]
  api GET "/guests/$id/log?tail=1" | has_line "guest: has local-hostname"
  [ "$(api GET "/guests/$id/log?offset=2&limit=5")" = "$(tail -c +3 "$consoles/$id.log" | head -c 5)" ]
}

# What is in its memory is there again, and it does not boot.
hibernates() {
  local qemu
  shell 'echo kept >/word; echo guest: noted'
  within 20 says "guest: noted"
  qemu=$(machine)
  act hibernate
  gone "$qemu"
  is_because shutoff hibernated
  guest '.wanted == "off"' >/dev/null
  act resume
  is running
  open_console
  shell 'sed "s/^/guest: it was /" /word'
  within 20 says "guest: it was kept"
  boots 1
}

ignores_the_button() {
  local begin=$EPOCHSECONDS
  shell 'killall acpid; echo guest: deaf'
  within 20 says "guest: deaf"
  job POST "/guests/$id/shutdown" '{"wait":3}'
  [ "$((EPOCHSECONDS - begin))" -ge 3 ]
  is_because shutoff user
  guest '.wanted == "off"' >/dev/null
}

is_started_after_a_crash() {
  is_up 2
  shell 'echo c >/proc/sysrq-trigger'
  within 90 boots 3
  within 20 is running
  api GET "/jobs?guest=$id&action=start" | jq -e '.[0].User == "agent"' >/dev/null
}

# The host loses its power: all machines and daemons die, and the kernel that comes up has another name for its boot.
comes_back_with_its_host() {
  local qemu
  qemu=$(machine)
  end mistify-agent KILL
  end mistify-libvirt KILL
  end libvirtd KILL
  kill -KILL "$qemu"
  within 20 gone "$qemu"
  cat /proc/sys/kernel/random/uuid >"$run/boot_id"
  mount --bind "$run/boot_id" "$boot_id"
  start_libvirtd
  start_libvirt_agent
  start_agent
  within 120 boots 4
  within 20 is running
  guest '.wanted == "on"' >/dev/null
}

# On a store of its own, which is small.
waits_for_room() {
  act poweroff
  job DELETE "/guests/$id"
  end mistify-storage
  mount -t tmpfs -o size=96M,mode=2750,uid="$(id -u mistify-storage)",gid="$(getent group mistify-disks | cut -d: -f3)" \
    tmpfs /var/lib/mistify-storage
  start_storage_agent
  prepares_a_guest_that_comes_back
  fallocate --length 60M /var/lib/mistify-storage/filler
  shell 'dd if=/dev/urandom of=/dev/vda bs=1M count=60 2>/dev/null; sync; echo guest: filled its disk'
  within 90 is_because paused io-error:ENOSPC:vda
  fails says "guest: filled its disk"
  rm /var/lib/mistify-storage/filler
  within 60 is running
  within 90 says "guest: filled its disk"
  job DELETE "/guests/$id"
}
