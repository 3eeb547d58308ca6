#!/usr/bin/env bash
# shellcheck disable=SC2154 # $run and $build are of whoever sources this
# The hypervisor under etc/test-vm.sh: daemons, and how to talk with them. To be sourced. Everything that is started here
# lives in namespaces of its own (see `enter_house`), with its process in $run/NAME.pid and its output in $run/NAME.log.

# enter_house DIRECTORY CACHE: gives this shell, which has namespaces of its own, the folders that libvirt and the agent
# use, empty and under DIRECTORY; users and groups of the units; and a loopback and a bridge. What libvirt found out about
# QEMU, which takes it long, stays in CACHE.
enter_house() {
  local folder
  mkdir -p "$1/etc"
  mount -t tmpfs tmpfs "$1/etc"
  mkdir "$1/etc/upper" "$1/etc/work"
  mount -t overlay -o "lowerdir=/etc,upperdir=$1/etc/upper,workdir=$1/etc/work" overlay /etc
  for folder in /run /etc/libvirt /var/lib /var/log; do
    mkdir -p "$1$folder" "$folder"
    mount --bind "$1$folder" "$folder"
  done
  mkdir -p "$2" /var/log/libvirt/qemu
  mount --bind "$2" /var/cache
  make_users
  if [ -e /dev/kvm ]; then
    open_device "$1" /dev/kvm
  fi
  mount -t sysfs sysfs /sys # this network's
  busybox ip link set lo up
  busybox brctl addbr br0
  busybox ip link set br0 up
}

# Those of the package libvirt-daemon-system, which would start services with them, and of the units; with the folders that
# systemd makes for the units.
make_users() {
  getent group libvirt >/dev/null || groupadd --system libvirt
  getent passwd libvirt-qemu >/dev/null || {
    groupadd --gid 64055 libvirt-qemu
    useradd --uid 64055 --gid 64055 --no-create-home --shell /usr/sbin/nologin libvirt-qemu
  }
  systemd-sysusers "$PWD"/etc/sysusers.d/*.conf
  usermod --append --groups mistify-disks libvirt-qemu
  usermod --append --groups libvirt mistify-libvirt
  systemd-tmpfiles --create "$PWD"/etc/tmpfiles.d/*.conf
  install -d -o mistify-agent -g mistify-agent -m 0700 /var/lib/mistify-agent
  install -d -o mistify-storage -g mistify-disks -m 2750 /var/lib/mistify-storage
  install -d -o mistify-libvirt -g mistify-libvirt -m 0711 /var/log/mistify-libvirt
  install -d -o mistify-libvirt -g mistify-libvirt -m 0755 /var/lib/mistify-libvirt
}

# as USER GROUP COMMAND...: becomes it, as a unit would be run, without any capability. For `launch`, whose process it is.
as() {
  local user=$1 group=$2
  shift 2
  exec setpriv --reuid "$user" --regid "$group" --init-groups --no-new-privs --inh-caps=-all --bounding-set=-all "$@"
}

# as_reader USER GROUP COMMAND...: as `as`, but for the capability to read every file, which the unit of mistify-libvirt has
# for virtlogd's files.
as_reader() {
  local user=$1 group=$2 caps=-all,+dac_read_search
  shift 2
  exec setpriv --reuid "$user" --regid "$group" --init-groups --no-new-privs --inh-caps="$caps" --bounding-set="$caps" \
    --ambient-caps="$caps" "$@"
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

# Each as its unit has it: the user, the socket, who may call there.
start_libvirt_agent() {
  local socket=/run/mistify-libvirt/libvirt.sock
  launch mistify-libvirt as_reader mistify-libvirt mistify-libvirt "$build/mistify-libvirt" --socket "$socket" \
    --allow-user mistify-agent --agent unix:/run/mistify/agent.sock -c qemu:///system --media /var/lib/libvirt/images \
    --state /var/lib/mistify-libvirt
  within 20 serves "$socket"
}

start_storage_agent() {
  local socket=/run/mistify-storage/storage.sock
  launch mistify-storage as mistify-storage mistify-disks "$build/mistify-storage" --socket "$socket" \
    --allow-user mistify-agent --agent unix:/run/mistify/agent.sock --allow-net 127.0.0.0/8
  within 20 serves "$socket"
}

start_agent() {
  launch mistify-agent as mistify-agent mistify-agent "$build/mistify-agent" -c "$run/agent.d" -l info
  within 20 serves /run/mistify/agent.sock
}

# serves SOCKET: whether somebody answers there.
serves() {
  curl -s -o /dev/null --max-time 2 --unix-socket "$1" http://localhost/
}

listens() {
  (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# The configuration of libvirt for a place without systemd, polkit and users of its own.
configure_libvirt() {
  cat >/etc/libvirt/libvirtd.conf <<END
auth_unix_rw = "none"
unix_sock_group = "libvirt"
unix_sock_rw_perms = "0770"
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
