#!/usr/bin/env bash
# Runs clang-tidy over the sources of the agent and the sub-agents; the tests, which are many and run anyway, only when
# they are named. A file that was clean is not looked at again until it, a header of the project that it includes, or the
# checks change. What was clean is remembered in build/tidy/clean/.
#
# Usage: etc/check-tidy.sh [file.cpp ...]     (default: all but tests; JOBS: how many at a time)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# clang 14, Debian's default, does not know all of the C++20 that the sources use.
tidy=clang-tidy-16
compiler=clang++-16
build=build/tidy
clean=$build/clean
jobs=${JOBS:-$(nproc)}

# A build of its own, never compiled: clang cannot read g++'s precompiled headers.
if ! log=$(cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_COMPILER="$compiler" \
  -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON 2>&1); then
  echo "$log" >&2
  exit 1
fi
mkdir -p "$clean"

# Prints, for each source of the compile database, the source and every file of the project that it includes.
closures() {
  local root
  root=$(pwd -P)
  SOURCES=$(sed -n "s|^ *\"file\": \"$root/\(.*\)\",\{0,1\}$|\1|p" "$build/compile_commands.json" |
    grep -v '^build/' | sort -u) # pages that the build writes are data
  export SOURCES
  # awk reads all sources and headers; includes are written from the root of the project.
  find rpc store actors http test -name '*.[ch]pp' -print0 | xargs -0 grep -HoE '^#include "[^"]+"' |
    awk -F'[:"]' '
      { includes[$1] = includes[$1] " " $3 }
      function visit(file,   i, n, next_files) {
        if (file in seen) return
        seen[file] = 1
        list = list " " file
        n = split(includes[file], next_files, " ")
        for (i = 1; i <= n; i++) visit(next_files[i])
      }
      END {
        n_sources = split(ENVIRON["SOURCES"], all, "\n")
        for (s = 1; s <= n_sources; s++) { split("", seen); list = ""; visit(all[s]); print substr(list, 2) }
      }'
}

# key FILE...: what the verdict on a source depends on, as one word.
key() {
  local file present=()
  for file in "$@"; do
    [ ! -f "$file" ] || present+=("$file")
  done
  { echo "$version" && cat .clang-tidy CMakeLists.txt test/CMakeLists.txt "${present[@]}"; } | sha256sum | cut -d' ' -f1
}
version=$("$tidy" --version)

wanted=" $* "
work=() # source and key in turn
total=0
while read -ra files; do
  source=${files[0]}
  if [ $# -eq 0 ]; then
    [[ $source != test/* ]] || continue
  else
    [[ $wanted == *" $source "* ]] || continue
  fi
  total=$((total + 1))
  id=$(key "${files[@]}")
  if [ -e "$clean/$id" ]; then
    touch "$clean/$id"
  else
    work+=("$source" "$id")
  fi
done < <(closures)

check_one() {
  local source=$1 id=$2 out
  if out=$("$tidy" -p "$build" --quiet "$source" 2>/dev/null); then
    : >"$clean/$id"
  else
    # The output is all there is to say; without any, clang-tidy itself failed.
    printf '%s\n' "${out:-$source: clang-tidy failed without a word}"
    return 1
  fi
}
export -f check_one
export tidy build clean

failed=0
if [ "${#work[@]}" -gt 0 ]; then
  # shellcheck disable=SC2016 # the inner shell expands
  printf '%s\0' "${work[@]}" | nice xargs -0 -n2 -P "$jobs" bash -c 'check_one "$0" "$1"' || failed=1
fi
find "$clean" -type f -mtime +30 -delete
[ "$failed" -eq 0 ] || exit 1
echo "tidy: $total files are clean ($((${#work[@]} / 2)) looked at, the others unchanged)"
