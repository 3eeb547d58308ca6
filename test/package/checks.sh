#!/usr/bin/env bash
# shellcheck disable=SC2154 # $run, $root and $packages are of whoever sources this, or of chroot.sh
# What etc/test-package.sh checks, step by step. To be sourced, behind chroot.sh.

guest_id=0a1b2c3d-0000-4000-8000-000000000009
disk=/var/lib/mistify-storage/guests/$guest_id/disk-0.qcow2

# expect WANTED FOUND
expect() {
  [ "$1" = "$2" ] || {
    printf 'wanted: %s\nfound:  %s\n' "$1" "$2"
    return 1
  }
}

# mode WANTED PATH: "MODE USER GROUP" of a path in the chroot.
mode() {
  expect "$1" "$(in_chroot stat -c '%a %U %G' "$2")"
}

# as USER COMMAND...: in the chroot, with the user's groups.
as() {
  local user=$1
  shift
  in_chroot setpriv --reuid "$user" --regid "$(in_chroot id -g "$user")" --init-groups "$@"
}

# ask USER METHOD PATH [BODY]: the agent's answer, with its status in a line of its own.
ask() {
  as "$1" curl -sS -w '\n%{http_code}\n' -X "$2" --unix-socket /run/mistify/agent.sock "http://localhost$3" ${4:+-d "$4"}
}

# status USER METHOD PATH [BODY]
status() {
  ask "$@" | tail -n 1
}

# job METHOD PATH [BODY]: as root, through to its end.
job() {
  local number
  number=$(in_chroot curl -sS -o /dev/null -D - -X "$1" --unix-socket /run/mistify/agent.sock "http://localhost$2" ${3:+-d "$3"} |
    sed -nE 's/^X-Guest-Job-ID: *([^[:space:]]+).*/\1/ip')
  [ -n "$number" ]
  ask root GET "/jobs/$number?wait=30s" >"$run/job"
  head -n 1 "$run/job" | jq -e '.Status == "Complete"' >/dev/null || {
    cat "$run/job"
    return 1
  }
}

installs() {
  offer "$packages"
  # shellcheck disable=SC2046 # words
  apt install $(offered)
}

is_installed_right() {
  local name
  for name in $(names); do
    expect "" "$(in_chroot dpkg --verify "$name")"
  done
  for name in mistify-agent mistify-storage mistify-libvirt; do
    in_chroot getent passwd "$name" | has_line ':/usr/sbin/nologin$'
    expect 0 "$(find "$root/lib/systemd/system/" -name "$name.service" ! -perm 644 | wc -l)"
  done
  expect "" "$(in_chroot getent group mistify | cut -d: -f4)"
  in_chroot id -nG mistify-storage | tr ' ' '\n' | has_line -x mistify-disks
  in_chroot id -nG libvirt-qemu | tr ' ' '\n' | has_line -x mistify-disks
  in_chroot id -nG mistify-libvirt | tr ' ' '\n' | has_line -x libvirt
  mode "755 mistify-agent mistify-agent" /run/mistify
  mode "750 mistify-storage mistify-agent" /run/mistify-storage
  mode "750 mistify-libvirt mistify-agent" /run/mistify-libvirt
  mode "644 root root" /etc/mistify-agent/agent.json
  grep -q '^ListenStream=/run/mistify/agent.sock$' "$root/lib/systemd/system/mistify-agent.socket"
  fails grep -q '^ListenStream=[^/]' "$root/lib/systemd/system/mistify-agent.socket"
  for name in mistify-agent mistify-storage mistify-libvirt; do
    in_chroot "$name" --version
  done
}

# Machines of libvirt's test driver: libvirtd would need systemd.
starts_units() {
  start_unit mistify-storage /run/mistify-storage/storage.sock
  start_unit mistify-libvirt /run/mistify-libvirt/libvirt.sock 's#qemu:///system#test:///default#'
  start_unit mistify-agent /run/mistify/agent.sock
  mode "660 mistify-storage mistify-agent" /run/mistify-storage/storage.sock
  mode "660 mistify-libvirt mistify-agent" /run/mistify-libvirt/libvirt.sock
  mode "666 mistify-agent mistify-agent" /run/mistify/agent.sock
  ask root GET /readyz >"$run/ready"
  head -n 1 "$run/ready" | jq -e '.status == "ready" and ([.services[] | select(.reachable)] | length) >= 3'
  fails grep -h '"level":"\(warning\|error\)"' "$root"/var/log/mistify-{agent,storage}.unit.log
}

makes_a_guest() {
  job POST /guests '{"id":"'$guest_id'","memory":64,"cpu":1,"disks":[{"size":8}],"nics":[{"network":"default"}]}'
  job POST "/guests/$guest_id/start"
  mode "660 mistify-storage mistify-disks" "$disk"
  mode "2750 mistify-storage mistify-disks" "$(dirname "$disk")"
  mode "2750 mistify-storage mistify-disks" /var/lib/mistify-storage
}

# She may start and stop guests, and neither make nor delete them.
operates() {
  in_chroot useradd --no-create-home --groups mistify alice
  expect 200 "$(status alice GET "/guests/$guest_id")"
  expect 202 "$(status alice POST "/guests/$guest_id/poweroff")"
  expect 403 "$(status alice POST /guests '{"memory":64}')"
  expect 403 "$(status alice DELETE "/guests/$guest_id")"
  expect 403 "$(status alice GET /tokens)"
  denied alice head -c 1 "$disk"
}

# denied USER COMMAND...
denied() {
  ! as "$@" >/dev/null 2>&1 || {
    echo "can: $*"
    return 1
  }
}

keeps_nobody_out() {
  local route name file
  for route in "GET /guests" "GET /jobs" "GET /events" "GET /metrics" "GET /images" "GET /debug/actors" "GET /tokens" \
    "POST /guests" "POST /guests/$guest_id/start" "DELETE /guests/$guest_id" "PUT /guests/$guest_id/state"; do
    # shellcheck disable=SC2086 # two words
    expect 401 "$(status nobody $route)"
  done
  expect 200 "$(status nobody GET /healthz)"
  for name in storage libvirt; do
    denied nobody curl -s --unix-socket "/run/mistify-$name/$name.sock" http://localhost/
    denied nobody ls "/run/mistify-$name"
    denied nobody touch "/run/mistify-$name/x"
  done
  denied nobody rm -f /run/mistify/agent.sock
  denied nobody touch /run/mistify/x
  for file in "$disk" /var/lib/mistify-storage /var/lib/mistify-agent /var/lib/mistify-agent/agent.db; do
    in_chroot test -e "$file"
    denied nobody head -c 1 "$file"
    denied nobody ls "$file"
  done
}

# What has to outlive packages. Not the state of guests: the test driver of libvirt forgets its machines when mistify-libvirt
# ends, and the agent is told.
facts() {
  ask root GET /guests | sed -E 's/"state":"[a-z]+",("state_reason":"[a-z]+",)?//g'
  ask root GET /jobs
  in_chroot stat -c '%n %s %a %U %G' "$disk"
}

# newer DEB: the same as version 1.0.1, without another build.
newer() {
  local tree=$run/tree
  rm -rf "$tree"
  dpkg-deb --raw-extract "$1" "$tree"
  sed -i 's/^\(Version: .*\)/\1+newer/' "$tree/DEBIAN/control"
  dpkg-deb --root-owner-group --build "$tree" "$run/newer" >/dev/null
}

upgrades() {
  local before deb
  before=$(facts)
  jq '.log = {"level": "debug"}' "$root/etc/mistify-agent/agent.json" >"$run/agent.json"
  cat "$run/agent.json" >"$root/etc/mistify-agent/agent.json"
  mkdir -p "$run/newer"
  for deb in "$root"/debs/*.deb; do
    newer "$deb"
  done
  stop_units
  offer "$run/newer"
  # shellcheck disable=SC2046 # words
  apt install $(offered)
  in_chroot dpkg --status mistify-agent | has_line '^Version: .*newer'
  cmp "$run/agent.json" "$root/etc/mistify-agent/agent.json"
  starts_units
  expect "$before" "$(facts)"
}

is_removed_and_back() {
  local before
  before=$(facts)
  stop_units
  # shellcheck disable=SC2046 # words
  apt remove $(names)
  in_chroot test -e /var/lib/mistify-agent/agent.db
  in_chroot test -e /etc/mistify-agent/agent.json
  in_chroot test -e "$disk"
  # shellcheck disable=SC2046 # words
  apt install $(offered)
  starts_units
  expect "$before" "$(facts)"
}

is_purged_with_disks() {
  stop_units
  # shellcheck disable=SC2046 # words
  apt purge $(names) | tee "$run/purge"
  grep -q "kept /var/lib/mistify-storage, which holds disks or images" "$run/purge" "$run/output"
  in_chroot test -e "$disk"
  fails in_chroot test -e /var/lib/mistify-agent
  fails in_chroot test -e /etc/mistify-agent
}

is_purged() {
  in_chroot rm -r "/var/lib/mistify-storage/guests/$guest_id"
  # shellcheck disable=SC2046 # words
  apt install $(offered)
  # shellcheck disable=SC2046 # words
  apt purge $(names)
  expect "" "$(find "$root" -xdev \( -path "$root/debs" -o -path "$root/proc" -o -path "$root/var/lib/dpkg" -o -name '*.unit.log' \) -prune \
    -o -iname '*mistify*' -print)"
  in_chroot getent passwd mistify-agent mistify-storage mistify-libvirt
  in_chroot getent group mistify mistify-disks
}
