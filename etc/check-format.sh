#!/usr/bin/env bash
# Fails, naming file and line, where a source is not as clang-format would write it.
# `etc/check-format.sh --fix` rewrites them instead.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Without git (an unpacked archive) every source of the layers counts.
sources() {
  git ls-files -z -- '*.cpp' '*.hpp' 2>/dev/null || find rpc store actors http test -name '*.[ch]pp' -print0
}

mapfile -d '' -t files < <(sources)
present=()
for file in "${files[@]}"; do
  [ ! -f "$file" ] || present+=("$file")
done

if [ "${1:-}" = --fix ]; then
  clang-format -i "${present[@]}"
else
  clang-format --dry-run -Werror "${present[@]}"
  echo "format: ${#present[@]} files are as clang-format writes them"
fi
