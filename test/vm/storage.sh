#!/usr/bin/env bash
# shellcheck disable=SC2154 # what is not set here is of whoever sources this, and of life.sh
# A guest on a disk of mistify-storage in etc/test-vm.sh, step by step. To be sourced, behind life.sh.

store=/var/lib/mistify-storage

# make_image MEDIA FILE: a disk that boots by itself, with the small Linux of MEDIA on it.
make_image() {
  truncate --size 32M "$2"
  mkfs.fat -n LINUX "$2" >/dev/null
  printf '%s\n' 'DEFAULT linux' 'LABEL linux' 'KERNEL kernel' 'INITRD initrd.gz' 'APPEND console=ttyS0 quiet' \
    >"$run/syslinux.cfg"
  mcopy -i "$2" "$1/kernel" "$1/initrd.gz" "$run/syslinux.cfg" ::
  syslinux --install "$2"
}

# What the image is fetched from: packed, with its sum beside it.
start_image_server() {
  mkdir -p "$run/www"
  make_image "$media" "$run/www/linux"
  gzip -1 "$run/www/linux"
  (cd "$run/www" && sha256sum linux.gz >linux.gz.sha256)
  launch httpd busybox httpd -f -p 127.0.0.1:8081 -h "$run/www"
  within 20 listens 8081
}

is_fetched() {
  start_image_server
  job POST /images '{"source":"http://127.0.0.1:8081/linux.gz"}'
  api GET /images/linux | jq -e '.size == 32 and .status == "complete"' >/dev/null
  [ "$(ls -A "$store/images" "$store/.staging")" = "$(printf '%s\n' "$store/.staging:" '' "$store/images:" linux.origin linux.qcow2)" ]
}

boots_from_image() {
  job POST /guests '{"id":"'"$id"'","memory":192,"cpu":1,"disks":[{"image":"linux","size":40}]}'
  guest '.disks[0] | .size == 40 and .device == "vda"' >/dev/null
  is_up 1
}

# is_up N: starts it, and sits down at its console, for the Nth time.
is_up() {
  act start
  open_console
  within 90 boots "$1"
}

# Behind the file system, where nothing else writes.
writes() {
  shell "echo $1 | dd of=/dev/vda bs=1M seek=36 2>/dev/null; sync; echo guest: wrote $1"
  within 20 says "guest: wrote $1"
}

# reads WORD TIME: finds the word there; each TIME once.
reads() {
  shell "dd if=/dev/vda bs=1M skip=36 count=1 2>/dev/null | head -n 1 | sed 's/^/guest: read $2: /'"
  within 20 says "guest: read $2: $1"
}

is_not_torn() {
  writes before
  fails job POST "/guests/$id/snapshots" '{"dest":"torn"}' 2>/dev/null
  grep -q "in use by a running guest" "$run/answer"
  [ "$(api GET "/guests/$id/snapshots")" = "[]" ]
}

is_rolled_back() {
  act poweroff
  job POST "/guests/$id/snapshots" '{"dest":"good"}'
  is_up 2
  writes after
  reads after 1st
  act poweroff
  job POST "/guests/$id/snapshots/good/rollback"
  is_up 3
  reads before 2nd
}

# While the guest runs on top of it.
is_downloaded() {
  ask -fsS "$url/guests/$id/disks/0/snapshots/good/download" >"$run/download.raw"
  [ "$(stat -c %s "$run/download.raw")" -eq $((40 * 1024 * 1024)) ]
  [ "$(dd if="$run/download.raw" bs=1M skip=36 count=1 status=none | head -c 6)" = before ]
}

is_deleted_with_disk() {
  job DELETE "/guests/$id"
  [ -z "$(ls "$store/guests")" ]
  job DELETE /images/linux
  [ -z "$(ls "$store/images")" ]
}
