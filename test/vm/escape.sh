#!/usr/bin/env bash
# shellcheck disable=SC2154 # what is not set here is of whoever sources this, and of life.sh
# What a guest, and a client that is in league with it, try on their host in etc/test-vm.sh. To be sourced, behind storage.sh.

secret=/var/log/root-only

# refused TEXT BODY: whether no such guest can be made, for a reason that has this text.
refused() {
  fails job POST /guests "$2" 2>/dev/null
  grep -q "$1" "$run/answer"
  job DELETE "/guests/$(jq -r .GuestID "$run/answer")"
  [ -z "$(virsh -q -c qemu:///system list --all)" ]
}

cannot_reach_the_host() {
  refused "a nic needs a network" '{"memory":192,"nics":[{}]}'
  refused "a nic needs a network" '{"memory":192,"nics":[{"network":"br0"},{"network":"","model":"user"}]}'
}

# Machines that an earlier version made, too.
cannot_start_on_the_user_network() {
  virsh -q -c qemu:///system define /dev/stdin >/dev/null <<END
<domain type='qemu'><name>$id</name><uuid>$id</uuid><memory>65536</memory><vcpu>1</vcpu><os><type>hvm</type></os>
  <devices><interface type='user'/></devices></domain>
END
  curl -sS --unix-socket /run/mistify-libvirt/libvirt.sock http://localhost/_mistify_RPC_ -H 'Content-Type: application/json' \
    -d '{"method":"Libvirt.Run","params":[{"guest":{"id":"'"$id"'"},"action":"start"}],"id":1}' >"$run/answer"
  jq -e '.error != null' "$run/answer" >/dev/null
  grep -q "a nic needs a network" "$run/answer"
  virsh -q -c qemu:///system undefine "$id" >/dev/null
}

cannot_have_the_hosts_files() {
  (umask 077 && echo "only root may read this" >"$secret" && truncate --size 1M "$secret")
  refused "does not lie in the store" '{"memory":192,"disks":[{"source":"'"$secret"'"}]}'
  refused "does not lie in the store" \
    '{"memory":192,"metadata":{"boot.kernel":"'"$media"'/kernel","boot.initrd":"'"$secret"'"}}'
}

# It writes the head of a qcow2 file that names a file of the host as what is behind it: who opens the disk and believes
# it gives that file to the guest.
cannot_rewrite_its_disk() {
  local owner
  owner=$(stat -c %u:%a "$secret")
  job POST /guests '{"id":"'"$id"'","memory":192,"cpu":1,"disks":[{"size":16,"format":"raw"}],
    "metadata":{"boot.kernel":"'"$media"'/kernel","boot.initrd":"'"$media"'/initrd.gz","boot.cmdline":"console=ttyS0 quiet"}}'
  guest '.disks[0].format == "qcow2"' >/dev/null
  is_up 1
  qemu-img create -q -f qcow2 -u -b "$secret" -F raw "$run/head" 1M
  shell "echo $(head -c 1024 "$run/head" | base64 -w 0) | base64 -d | dd of=/dev/vda conv=notrunc 2>/dev/null; sync; echo guest: wrote a head"
  within 20 says "guest: wrote a head"
  act poweroff
  is_up 2
  shell "head -c 3 /dev/vda | sed 's/^/guest: the disk begins with /'; echo"
  within 20 says "guest: the disk begins with QFI"
  fails says "guest: the disk begins with onl"
  [ "$(stat -c %u:%a "$secret")" = "$owner" ]
  job DELETE "/guests/$id"
}

# security_types PORT: those that VNC offers there, in decimal; nothing where nobody listens.
security_types() {
  # shellcheck disable=SC2016 # the inner shell's
  timeout 5 bash -c 'exec 3<>"/dev/tcp/127.0.0.1/$0" && head -c 12 <&3 >/dev/null && printf "RFB 003.008\n" >&3 &&
    count=$(head -c 1 <&3 | od -An -tu1) && head -c "$count" <&3 | od -An -tu1 | tr -d " "' "$1" 2>/dev/null
}

shows_nothing_without_password() {
  local port
  refused "needs a password" '{"memory":192,"vnc":-1}'
  job POST /guests '{"id":"'"$id"'","memory":192,"cpu":1,"vnc":-1,"metadata":{"vnc.password":"s3cr3t"}}'
  port=$(guest .vnc)
  [ "$port" -ge 5900 ] && [ "$port" -le 5999 ]
  act start
  [ "$(security_types "$port")" = 2 ] # VNC authentication, and nothing else
  api GET "/guests/$id" >"$run/shown"
  fails grep s3cr3t "$run/shown" "$run"/*.log
  job DELETE "/guests/$id"
}
