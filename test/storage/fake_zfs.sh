#!/usr/bin/env bash
# Stands in for the command `zfs` where there is no ZFS: the subcommands that the store uses, with OpenZFS' texts and exit
# codes. Pools are folders in `state` beside this script, zvols files in `dev`:
#   state/NAME/type, volsize, clone-of, txg, property files      a dataset
#   state/NAME/snapshots/S/txg, data                             a snapshot of it
set -u
here=$(cd "$(dirname "$0")" && pwd)
state=$here/state
dev=$here/dev

fail() {
  echo "$*" >&2
  exit 1
}

next_txg() {
  local txg
  txg=$(($(cat "$here/txg" 2>/dev/null || echo 0) + 1))
  echo $txg | tee "$here/txg"
}

exists() { [ -f "$state/$1/type" ]; }
has_snapshot() { [ -d "$state/${1%@*}/snapshots/${1#*@}" ]; }
type_of() { cat "$state/$1/type"; }

# below NAME: the dataset and everything below it, by name.
below() {
  find "$state/$1" -name type -printf '%h\n' 2>/dev/null | sed "s|^$state/||" | sort
}

snapshots_of() {
  local s
  for s in "$state/$1"/snapshots/*/; do
    [ -d "$s" ] && echo "$(cat "$s/txg") $1@$(basename "$s")"
  done | sort -n | cut -d' ' -f2
}

# clones_of SNAPSHOT: the datasets that stand on it.
clones_of() {
  grep -rlxF --include=clone-of "$1" "$state" | sed "s|^$state/||; s|/clone-of\$||"
}

written() {
  du -k "$state/${1%@*}/snapshots/${1#*@}/data" 2>/dev/null | awk '{print $1 * 1024}' | grep . || echo 0
}

value_of() {
  local name=$1
  case $2 in
  name) echo "$name" ;;
  volsize) cat "$state/$name/volsize" ;;
  written) written "$name" ;;
  used) if exists "$name" && [ "$(type_of "$name")" = volume ]; then
    [ -f "$state/$name/clone-of" ] && echo 0 || cat "$state/$name/volsize"
  else echo 0; fi ;;
  available) echo 1099511627776 ;;
  *) cat "$state/$name/$2" 2>/dev/null || echo - ;;
  esac
}

print_row() {
  local name=$1 columns=$2 row="" column
  for column in ${columns//,/ }; do
    row+="$(value_of "$name" "$column")"$'\t'
  done
  echo "${row%$'\t'}"
}

do_list() {
  local recursive="" types="" columns=name name dataset
  while getopts Hprt:o:s: option; do
    case $option in
    r) recursive=1 ;;
    t) types=$OPTARG ;;
    o) columns=$OPTARG ;;
    *) ;;
    esac
  done
  shift $((OPTIND - 1))
  name=$1
  exists "$name" || fail "cannot open '$name': dataset does not exist"
  if [ -z "$recursive" ] && [ -n "$types" ] && [ "$types" != "$(type_of "$name")" ]; then
    fail "cannot open '$name': operation not applicable to datasets of this type"
  fi
  for dataset in $([ -n "$recursive" ] && below "$name" || echo "$name"); do
    if [ "$types" = snapshot ]; then
      snapshots_of "$dataset" | while read -r s; do print_row "$s" "$columns"; done
    elif [ -z "$types" ] || [ "$types" = "$(type_of "$dataset")" ]; then
      print_row "$dataset" "$columns"
    fi
  done
}

make_dataset() {
  mkdir -p "$state/$1/snapshots"
  echo "$2" >"$state/$1/type"
}

set_properties() {
  local name=$1 property
  shift
  for property in "$@"; do
    printf '%s\n' "${property#*=}" >"$state/$name/${property%%=*}"
  done
}

do_create() {
  local parents="" size="" properties=() name
  while getopts po:V: option; do
    case $option in
    p) parents=1 ;;
    o) properties+=("$OPTARG") ;;
    V) size=$OPTARG ;;
    *) exit 2 ;;
    esac
  done
  shift $((OPTIND - 1))
  name=$1
  if exists "$name"; then
    [ -n "$parents" ] && exit 0
    fail "cannot create '$name': dataset already exists"
  fi
  if [ -n "$parents" ]; then
    local parent=${name%/*}
    exists "$parent" || "$0" create -p "$parent" || exit 1
  fi
  exists "${name%/*}" || fail "cannot create '$name': parent does not exist"
  if [ -z "$size" ]; then
    make_dataset "$name" filesystem
  else
    [ $((size % 16384)) -eq 0 ] || fail "cannot create '$name': volume size must be a multiple of volume block size"
    make_dataset "$name" volume
    echo "$size" >"$state/$name/volsize"
    mkdir -p "$dev/${name%/*}"
    truncate -s "$size" "$dev/$name"
  fi
  set_properties "$name" ${properties[@]+"${properties[@]}"}
}

do_clone() {
  local properties=()
  while getopts o: option; do properties+=("$OPTARG"); done
  shift $((OPTIND - 1))
  local from=$1 to=$2
  has_snapshot "$from" || fail "cannot open '$from': dataset does not exist"
  exists "$to" && fail "cannot create '$to': dataset already exists"
  exists "${to%/*}" || fail "cannot create '$to': parent does not exist"
  make_dataset "$to" volume
  cp "$state/${from%@*}/volsize" "$state/$to/volsize"
  echo "$from" >"$state/$to/clone-of"
  mkdir -p "$dev/${to%/*}"
  cp --sparse=always "$state/${from%@*}/snapshots/${from#*@}/data" "$dev/$to"
  set_properties "$to" ${properties[@]+"${properties[@]}"}
}

do_set() {
  local property=$1 name=$2
  exists "$name" || fail "cannot open '$name': dataset does not exist"
  set_properties "$name" "$property"
  case $property in volsize=*) truncate -s "${property#*=}" "$dev/$name" ;; esac
}

do_rename() {
  local from=$1 to=$2
  case $from in
  *@*)
    has_snapshot "$from" || fail "cannot open '$from': dataset does not exist"
    mv "$state/${from%@*}/snapshots/${from#*@}" "$state/${to%@*}/snapshots/${to#*@}"
    return
    ;;
  esac
  exists "$from" || fail "cannot open '$from': dataset does not exist"
  exists "$to" && fail "cannot rename '$from' to '$to': dataset already exists"
  exists "${to%/*}" || fail "cannot rename '$from' to '$to': parent does not exist"
  mv "$state/$from" "$state/$to"
  mkdir -p "$dev/${to%/*}"
  if [ -e "$dev/$from" ]; then mv "$dev/$from" "$dev/$to"; fi
}

destroy_snapshots() {
  local recursive=$1 name=$2 dataset found=""
  for dataset in $([ -n "$recursive" ] && below "${name%@*}" || echo "${name%@*}"); do
    has_snapshot "$dataset@${name#*@}" || continue
    found=1
    local clones
    clones=$(clones_of "$dataset@${name#*@}")
    [ -z "$clones" ] ||
      fail "cannot destroy '$name': snapshot has dependent clones"$'\n'"use '-R' to destroy the following datasets:"$'\n'"$clones"
    rm -r "$state/$dataset/snapshots/${name#*@}"
  done
  [ -n "$found" ] || fail "could not find any snapshots to destroy; check snapshot names."
}

do_destroy() {
  local recursive="" name dataset s clones
  while getopts r option; do recursive=1; done
  shift $((OPTIND - 1))
  name=$1
  case $name in *@*) destroy_snapshots "$recursive" "$name" && return ;; esac
  exists "$name" || fail "cannot open '$name': dataset does not exist"
  if [ -z "$recursive" ] && { [ "$(below "$name" | wc -l)" -gt 1 ] || [ -n "$(snapshots_of "$name")" ]; }; then
    fail "cannot destroy '$name': $(type_of "$name") has children"$'\n'"use '-r' to destroy the following datasets:"
  fi
  for dataset in $(below "$name"); do
    for s in $(snapshots_of "$dataset"); do
      clones=$(clones_of "$s" | grep -v "^$name/" || true)
      [ -z "$clones" ] || fail "cannot destroy '$name': $(type_of "$name") has dependent clones"$'\n'"use '-R' to destroy the following datasets:"$'\n'"$clones"
    done
  done
  rm -rf "${state:?}/$name" "${dev:?}/$name"
}

do_snapshot() {
  local recursive="" name dataset txg
  while getopts r option; do recursive=1; done
  shift $((OPTIND - 1))
  name=$1
  exists "${name%@*}" || fail "cannot open '${name%@*}': dataset does not exist"
  local datasets
  datasets=$([ -n "$recursive" ] && below "${name%@*}" || echo "${name%@*}")
  for dataset in $datasets; do
    has_snapshot "$dataset@${name#*@}" &&
      fail "cannot create snapshot '$dataset@${name#*@}': dataset already exists"$'\n'"no snapshots were created"
  done
  txg=$(next_txg)
  for dataset in $datasets; do
    mkdir -p "$state/$dataset/snapshots/${name#*@}"
    echo "$txg" >"$state/$dataset/snapshots/${name#*@}/txg"
    if [ "$(type_of "$dataset")" = volume ]; then
      cp --sparse=always "$dev/$dataset" "$state/$dataset/snapshots/${name#*@}/data"
    fi
  done
}

do_rollback() {
  local destroy="" name dataset newer
  while getopts r option; do destroy=1; done
  shift $((OPTIND - 1))
  name=$1 dataset=${1%@*}
  has_snapshot "$name" || fail "cannot open '$name': dataset does not exist"
  newer=$(snapshots_of "$dataset" | awk -v target="$name" 'seen { print } $0 == target { seen = 1 }')
  if [ -n "$newer" ]; then
    [ -n "$destroy" ] ||
      fail "cannot rollback to '$name': more recent snapshots or bookmarks exist"$'\n'"use '-r' to force deletion of the following snapshots and bookmarks:"$'\n'"$newer"
    for s in $newer; do destroy_snapshots "" "$s"; done
  fi
  if [ "$(type_of "$dataset")" = volume ]; then
    cat "$state/$dataset/snapshots/${name#*@}/data" >"$dev/$dataset"
  fi
}

do_send() {
  local recursive="" name dataset
  while getopts R option; do recursive=1; done
  shift $((OPTIND - 1))
  name=$1
  has_snapshot "$name" || fail "cannot open '$name': dataset does not exist"
  for dataset in $([ -n "$recursive" ] && below "${name%@*}" || echo "${name%@*}"); do
    echo "stream of $dataset@${name#*@}"
    cat "$state/$dataset/snapshots/${name#*@}/data" 2>/dev/null
  done
}

# The head of a real stream, 312 bytes with the snapshot's name in it, and then what the zvol holds, as it is.
do_receive() {
  while getopts u option; do :; done
  shift $((OPTIND - 1))
  local name=$1 stream=$here/stream snapshot
  cat >"$stream"
  snapshot=$(tail -c +57 "$stream" | head -c 256 | tr -d '\0')
  exists "$name" && fail "cannot receive new filesystem stream: destination '$name' exists"
  case $snapshot in *@*) ;; *) fail "cannot receive: invalid stream (bad magic number)" ;; esac
  make_dataset "$name" volume
  mkdir -p "$dev/${name%/*}"
  tail -c +313 "$stream" >"$dev/$name"
  stat -c %s "$dev/$name" >"$state/$name/volsize"
  rm "$stream"
  OPTIND=1
  do_snapshot "$name@${snapshot#*@}"
}

do_get() {
  while getopts Hpo: option; do :; done
  shift $((OPTIND - 1))
  exists "$2" || fail "cannot open '$2': dataset does not exist"
  value_of "$2" "$1"
}

command=$1
shift
case $command in
list | create | clone | set | rename | destroy | snapshot | rollback | send | receive | get) "do_$command" "$@" ;;
*)
  echo "unrecognized command '$command'" >&2
  exit 2
  ;;
esac
