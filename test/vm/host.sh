#!/usr/bin/env bash
# shellcheck disable=SC2154 # $run and $build are of whoever sources this
# The hypervisor under etc/test-vm.sh: daemons, and how to talk with them. To be sourced. Everything that is started here
# lives in namespaces of its own (see `enter_house`), with its process in $run/NAME.pid and its output in $run/NAME.log.

# enter_house DIRECTORY CACHE: gives this shell, which has namespaces of its own, the folders that libvirt and the agent
# use, empty and under DIRECTORY; and a loopback and a bridge. What libvirt found out about QEMU, which takes it long, stays
# in CACHE.
enter_house() {
  local folder
  for folder in /run /etc/libvirt /var/lib /var/log; do
    mkdir -p "$1$folder" "$folder"
    mount --bind "$1$folder" "$folder"
  done
  mkdir -p "$2" /var/log/libvirt/qemu
  mount --bind "$2" /var/cache
  # The user that machines run as, whom the package libvirt-daemon-system makes, and starts services with.
  add_account "$1" passwd "libvirt-qemu:x:64055:64055::/var/lib/libvirt:/usr/sbin/nologin"
  add_account "$1" group "libvirt-qemu:x:64055:"
  if [ -e /dev/kvm ]; then
    open_device "$1" /dev/kvm
  fi
  mount -t sysfs sysfs /sys # this network's
  busybox ip link set lo up
  busybox brctl addbr br0
  busybox ip link set br0 up
}

# add_account DIRECTORY FILE LINE: to a copy of /etc/FILE, which is then seen in its place.
add_account() {
  mkdir -p "$1/etc"
  { grep -v "^${3%%:*}:" "/etc/$2"; echo "$3"; } >"$1/etc/$2"
  mount --bind "$1/etc/$2" "/etc/$2"
}

# open_device DIRECTORY DEVICE: puts one that everybody may open in its place. libvirt probes QEMU again at each call while
# the machines' user may not.
open_device() {
  mkdir -p "$1/dev"
  mknod --mode=666 "$1$2" c "$(stat -c 0x%t "$2")" "$(stat -c 0x%T "$2")"
  mount --bind "$1$2" "$2"
}

# launch NAME COMMAND...
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
  within 20 gone "$pid"
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

start_virtlogd() {
  launch virtlogd virtlogd
  within 20 test -S /run/libvirt/virtlogd-sock
}

start_libvirtd() {
  launch libvirtd libvirtd
  within 30 answers
}

start_libvirt_agent() {
  launch mistify-libvirt "$build/mistify-libvirt" -c qemu:///system --media /var/lib/libvirt/images
  within 20 listens 20001
}

start_storage_agent() {
  launch mistify-storage "$build/mistify-storage" --allow-net 127.0.0.0/8
  within 20 listens 19999
}

start_agent() {
  launch mistify-agent "$build/mistify-agent" -a 127.0.0.1:8080 -c "$run/agent.json" -l info
  within 20 listens 8080
}

listens() {
  (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# The configuration of libvirt for a place without systemd, polkit and users of its own.
configure_libvirt() {
  cat >/etc/libvirt/libvirtd.conf <<END
auth_unix_rw = "none"
log_outputs = "2:stderr"
END
  cat >/etc/libvirt/qemu.conf <<END
user = "libvirt-qemu"
group = "libvirt-qemu"
security_driver = "none"
namespaces = []
cgroup_controllers = []
END
}

answers() {
  virsh -q -c qemu:///system uri &>/dev/null
}
