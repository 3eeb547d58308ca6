#!/usr/bin/env bash
# shellcheck disable=SC2154 # $run and $root are of whoever sources this
# The small Debian of etc/test-package.sh, and units in it without systemd. To be sourced.

# shellcheck disable=SC2034 # used by checks.sh
packages=build/packages

# A base of some seconds and megabytes; from then on its archive.
make_chroot() {
  local archive=build/package-base.tar
  [ -e "$archive" ] || mmdebstrap --quiet --variant=minbase --include=ca-certificates,curl,jq bookworm "$archive"
  mkdir -p "$root"
  tar --extract --directory "$root" --file "$archive"
  mount -t proc proc "$root/proc"
  mount --rbind /dev "$root/dev"
  mount -t tmpfs -o mode=0755 tmpfs "$root/run"
  cp /etc/resolv.conf "$root/etc/"
  cp -rL /etc/apt/apt.conf.d /etc/apt/sources.list* "$root/etc/apt/" # the mirror of this machine
  in_chroot apt-get update -qq
}

in_chroot() {
  DEBIAN_FRONTEND=noninteractive chroot "$root" "$@"
}

# apt COMMAND PACKAGE...
apt() {
  in_chroot apt-get -qq -y --no-install-recommends -o Dpkg::Use-Pty=0 "$@"
}

# The .deb files, as the chroot sees them, without debug symbols.
offer() {
  rm -rf "$root/debs"
  mkdir "$root/debs"
  find "$1" -maxdepth 1 -name '*.deb' ! -name '*-dbgsym_*' -exec cp {} "$root/debs" \;
}

offered() {
  (cd "$root" && printf './%s\n' debs/*.deb)
}

names() {
  local file
  for file in "$root"/debs/*.deb; do
    dpkg-deb --field "$file" Package
  done
}

# setting UNIT KEY: the last value that a unit has for it.
setting() {
  sed -e ':a' -e '/\\$/N; s/\\\n *//; ta' "$root/lib/systemd/system/$1.service" | sed -n "s/^$2=//p" | tail -n 1
}

# folders UNIT KEY BELOW: makes the folders that systemd makes for a unit.
folders() {
  local name owner
  owner=$(setting "$1" User)
  for name in $(setting "$1" "$2"); do
    in_chroot install -d -o "$owner" -g "$(group_of "$1")" -m "$(setting "$1" "$2Mode")" "$3/$name"
  done
}

group_of() {
  local group
  group=$(setting "$1" Group)
  echo "${group:-$(in_chroot id -gn "$(setting "$1" User)")}"
}

# start_unit UNIT SOCKET [EDIT]: runs a unit's command as its user, without capabilities, and waits for its socket. EDIT is a
# command of sed for what the chroot does not have.
start_unit() {
  local unit=$1 socket=$2 command before
  command=$(setting "$unit" ExecStart | sed "${3:-}")
  before=$(setting "$unit" ExecStartPre)
  folders "$unit" StateDirectory /var/lib
  folders "$unit" LogsDirectory /var/log
  # shellcheck disable=SC2086 # words
  [ -z "$before" ] || in_chroot ${before#+}
  # No function: its process would be a shell's.
  chroot "$root" setpriv --reuid "$(setting "$unit" User)" --regid "$(group_of "$unit")" --init-groups --no-new-privs \
    --inh-caps=-all --bounding-set=-all bash -c "umask $(setting "$unit" UMask); exec $command" >>"$root/var/log/$unit.unit.log" 2>&1 &
  echo $! >"$run/$unit.pid"
  within 20 serves "$socket"
}

stop_units() {
  local file pid
  for file in "$run"/*.pid; do
    pid=$(<"$file")
    kill "$pid"
    within 40 gone "$pid"
    rm "$file"
  done
}

gone() {
  ! kill -0 "$1" 2>/dev/null
}

serves() {
  curl -s -o /dev/null --max-time 2 --unix-socket "$root$1" http://localhost/
}

# within SECONDS COMMAND...: tries until the command succeeds.
within() {
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    [ "$SECONDS" -lt "$end" ] || {
      echo "still not: $*" >&2
      return 1
    }
    sleep 0.1
  done
}
