#!/usr/bin/env bash
# shellcheck disable=SC2154 # what is not set here is of whoever sources this, and of life.sh
# A domain of etc/test-vm.sh that an administrator made with virsh, with its disks outside of the store, and that the agent
# takes into care. To be sourced, behind power.sh.

legacy=/var/lib/legacy

domain_xml() {
  cat <<END
<domain type='qemu'>
  <name>legacy</name><uuid>$id</uuid><title>made by hand</title>
  <memory unit='KiB'>196609</memory><vcpu>1</vcpu>
  <os><type>hvm</type><kernel>$legacy/kernel</kernel><initrd>$legacy/initrd.gz</initrd><cmdline>console=ttyS0 quiet</cmdline></os>
  <features><acpi/></features><on_crash>destroy</on_crash>
  <devices>
    <disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='$legacy/top.qcow2'/><target dev='vda' bus='virtio'/></disk>
    <disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='$legacy/link.img'/><target dev='vdb' bus='virtio'/></disk>
    <interface type='bridge'><source bridge='br0'/><mac address='52:54:00:aa:bb:cc'/><model type='virtio'/></interface>
    <serial type='pty'><log file='$consoles/$id.log' append='on'/><target port='0'/></serial>
    <input type='tablet' bus='usb'/>
  </devices>
</domain>
END
}

# The process of its machine; libvirt names the file by the domain.
legacy_machine() {
  cat /run/libvirt/qemu/legacy.pid
}

definition() {
  virsh -q -c qemu:///system dumpxml --inactive "$id"
}

runs_a_domain_made_by_hand() {
  mkdir -p "$legacy"
  cp "$media/kernel" "$media/initrd.gz" "$legacy"
  qemu-img create -q -f qcow2 "$legacy/base.qcow2" 32M
  qemu-img create -q -f qcow2 -b base.qcow2 -F qcow2 "$legacy/top.qcow2"
  truncate -s 16M "$legacy/raw.img"
  ln -s raw.img "$legacy/link.img"
  domain_xml >"$run/legacy.xml"
  virsh -q -c qemu:///system define "$run/legacy.xml"
  virsh -q -c qemu:///system start "$id"
  open_console
  within 90 boots 1
}

# The machine that runs is the same process.
is_adopted_while_it_runs() {
  local qemu
  qemu=$(legacy_machine)
  api GET /guests/unmanaged | jq -e '.[] | select(.id == "'"$id"'") |
    .name == "legacy" and .state == "running" and .adoptable and .disks[1].size == 16 and .nics[0].network == "br0"' >/dev/null
  fails api GET "/guests/$id"
  "$build/mistify" -H unix:/run/mistify/agent.sock adopt legacy --label made=by-hand --wait
  [ "$(legacy_machine)" = "$qemu" ]
  guest '.state == "running" and .wanted == "on" and .name == "legacy" and .memory == 192 and .adopted and
    .labels.made == "by-hand" and .disks[0].source == "'"$legacy"'/top.qcow2" and .disks[0].size == 32 and
    (.nics[0].device | startswith("vnet"))' >/dev/null
  [ "$(api GET /guests/unmanaged)" = "[]" ]
  definition | has_line "xmlns/adopted"
  virsh -q -c qemu:///system dumpxml "$id" | has_line "xmlns/adopted"
  answers_shell adopted
}

is_still_adopted_after_restarts() {
  local qemu
  qemu=$(legacy_machine)
  end mistify-agent KILL
  end mistify-libvirt KILL
  start_libvirt_agent
  start_agent
  [ "$(legacy_machine)" = "$qemu" ]
  is running
  api GET "/guests/$id/metrics/disk" | jq -e 'has("vda") and has("vdb")' >/dev/null
  api GET "/guests/$id/log" | has_line "^guest: up"
  job PATCH "/guests/$id" '{"memory":256}'
  jq -e '.Message | startswith("takes effect at the next start")' "$run/answer" >/dev/null
  [ "$(legacy_machine)" = "$qemu" ]
}

# What its guest wrote to the raw disk is no header for anybody.
starts_with_its_devices() {
  shell "printf 'QFI\\373' | dd of=/dev/vdb 2>/dev/null; sync; echo guest: wrote"
  within 20 says "guest: wrote"
  act shutdown
  is shutoff
  act start
  open_console
  within 90 boots 2
  is running
  definition >"$run/definition"
  grep -q "made by hand" "$run/definition"
  grep -q "<input type='tablet'" "$run/definition"
  grep -q "type='raw'" "$run/definition"
  grep -q "unit='KiB'>262144<" "$run/definition"
}

takes_more_disks() {
  job POST "/guests/$id/disks" '{"size":16}'
  guest '.disks[2].device == "vdc" and (.disks[2].volume | endswith("/disk-2"))' >/dev/null
  fails job POST "/guests/$id/disks/0/resize" '{"size":64}'
  jq -e '.Message | contains("no volume of the store")' "$run/answer" >/dev/null
  fails job POST "/guests/$id/snapshots" '{"dest":"s"}'
}

does_not_start_on_other_files() {
  act poweroff
  ln -sfn /etc/shadow "$legacy/link.img"
  definition | sed "/<source /s,$legacy/raw.img,$legacy/link.img," >"$run/changed.xml"
  virsh -q -c qemu:///system define "$run/changed.xml"
  fails act start
  jq -e '.Message | startswith("disk vdb")' "$run/answer" >/dev/null
  ln -sfn raw.img "$legacy/link.img"
  act start
}

leaves_its_disks_behind() {
  local sum
  act poweroff
  sum=$(sha256sum "$legacy/top.qcow2" "$legacy/base.qcow2" "$legacy/raw.img")
  job DELETE "/guests/$id"
  jq -e '.Message | contains("'"$legacy"'/raw.img")' "$run/answer" >/dev/null
  fails definition
  [ "$(sha256sum "$legacy/top.qcow2" "$legacy/base.qcow2" "$legacy/raw.img")" = "$sum" ]
  [ ! -e "/var/lib/mistify-storage/guests/$id" ]
}
