#!/usr/bin/env bash
# Compares the documentation with what it describes, and prints a line for each difference:
#   - the README has at most 200 lines
#   - each link of the README, the changelog and etc/doc/ leads to a file, and its #anchor to a heading
#   - etc/man/NAME.8.scd has exactly the options of `NAME --help`, for each binary
#   - etc/man/mistify.1.scd has each command of mistify, and each of its options
#   - etc/man/mistify-agent.json.5.scd has each key and action that the config's parser knows, and the defaults of the limits
#
# Usage: etc/check-docs.sh [BUILD]   (default build/release, with all binaries)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

build=${1:-build/release}
config_page=etc/man/mistify-agent.json.5.scd
wrong=0

complain() {
  echo "$*"
  wrong=1
}

# anchors FILE: the names that GitHub gives the headings of a file.
anchors() {
  sed -n 's/^##* //p' "$1" | tr '[:upper:]' '[:lower:]' | sed 's/[^a-z0-9 _-]//g; s/ /-/g'
}

check_length() {
  local lines
  lines=$(wc -l <README.md)
  [ "$lines" -le 200 ] || complain "README.md: $lines lines, 200 are allowed"
}

# check_link FILE TARGET
check_link() {
  local file=$1 path=${2%%#*} anchor=
  case $2 in
  http://* | https://*) return ;;
  *#*) anchor=${2#*#} ;;
  esac
  path=${path:+$(dirname "$file")/$path}
  path=${path:-$file}
  if [ ! -e "$path" ]; then
    complain "$file: link to $2, which is not there"
  elif [ -n "$anchor" ] && ! anchors "$path" | grep -xF -- "$anchor" >/dev/null; then
    complain "$file: link to $2, but $path has no such heading"
  fi
}

check_links() {
  local file target
  for file in README.md etc/CHANGELOG.md etc/doc/*.md; do
    while read -r target; do
      check_link "$file" "$target"
    done < <(grep -oE '\]\([^) ]+\)' "$file" | sed 's/^](//; s/)$//')
  done
}

# long_options: of a text, one a line.
long_options() {
  grep -oE -e '--[a-z][a-z0-9-]+' | sort -u
}

# check_page BINARY PAGE
check_page() {
  local difference
  difference=$(diff <("$1" --help | sed -n 's/^  \(-[^ ]*\).*/\1/p' | long_options) \
    <(grep '^\*-' "$2" | long_options) | grep '^[<>]' | tr '\n' ' ') || true
  [ -z "$difference" ] || complain "$2: other options than ${1##*/} --help (<) has: $difference"
}

check_options() {
  local name
  while read -r name; do
    if [ ! -x "$build/$name" ]; then
      complain "$build/$name: not built"
    elif [ ! -f "etc/man/$name.8.scd" ]; then
      complain "$name: no man page etc/man/$name.8.scd"
    else
      check_page "$build/$name" "etc/man/$name.8.scd"
    fi
  done < <({
    basename -s .8.scd etc/man/*.8.scd
    find "$build" -maxdepth 1 -type f -executable -name 'mistify-*' -printf '%f\n'
  } | sort -u)
}

# Commands stand in bold at the begin of a line, and so do options.
check_commands() {
  local page=etc/man/mistify.1.scd path option
  if [ ! -x "$build/mistify" ]; then
    complain "$build/mistify: not built"
    return
  fi
  while read -r path; do
    grep -qE "^\*$path\*" "$page" || complain "$page: no command $path"
    # shellcheck disable=SC2086 # the words of the command
    while read -r option; do
      grep -qE -- "\*$option\*" "$page" || complain "$page: no option $option of $path"
    done < <("$build/mistify" $path --help | sed -n 's/^  \(-[^ ]*\( -[^ ]*\)*\).*/\1/p' | long_options)
  done < <("$build/mistify" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\( [a-z]*\)\{0,1\}\)  .*/\1/p')
}

# Keys stand in bold or in the first column of a table.
described() {
  grep -qE "(\*$1\*|^\|  $1\$)" "$config_page"
}

check_config() {
  local key name value
  while read -r key; do
    described "$key" || complain "$config_page: no key $key"
  done < <(grep -hoE '(key|field) [!=]= "[a-z_]+"|\{"[a-z_]+", &limit\.' actors/config/*.cpp | grep -oE '[a-z_]+"' | tr -d '"' | sort -u)
  while read -r name; do
    grep -qw "$name" "$config_page" || complain "$config_page: no action $name"
  done < <(grep -oE 'action_kind\{"[A-Za-z]+"' actors/config/action_kinds.cpp | grep -oE '[A-Za-z]+"' | tr -d '"')
  while read -r name value; do
    value=$((value)) # such as 64 * 1024
    grep -A 1 "^|  $name\$" "$config_page" | grep -qx ":  $value" ||
      complain "$config_page: the default of limits.$name is not $value"
  done < <(sed -n "/^struct limits {/,/^};/s/^ *std::size_t \([a-z_]*\) = \([^;]*\);.*/\1 \2/p" actors/config/config.hpp |
    sed "s/'//g; s/\([0-9]\)[uUlL]*/\1/g")
}

check_length
check_links
check_options
check_commands
check_config
[ "$wrong" -eq 0 ] || exit 1
echo "docs: options, keys, defaults and links are as described"
