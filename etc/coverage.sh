#!/usr/bin/env bash
# Runs the tests in a build that counts which lines run, and prints for each folder how many of its lines did. The whole
# report, line by line, is build/coverage/report.html. Takes three quarters of an hour on two cores.
#
# Usage: etc/coverage.sh [TEST...]     the names of ctest: rpc, store, actors... (default: all but the browser's)
#
# A process that is killed takes its counts along. Tests that do not mean to kill the agent end it in an orderly way here
# (MISTIFY_COVERAGE).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=etc/packages.sh
. etc/packages.sh

install_packages "${BUILD_PACKAGES[@]}" "${RUN_PACKAGES[@]}" "${TEST_PACKAGES[@]}" "${COVERAGE_PACKAGES[@]}"
cmake --preset coverage >/dev/null
cmake --build --preset coverage
find build/coverage -name '*.gcda' -delete

wanted=('rpc|etcd|images|libvirt|storage|container|store|actors|http|system|client')
[ $# -eq 0 ] || wanted=("$(IFS='|' && echo "$*")")
# A test that fails, because this build is slow, does not cost the report.
export MISTIFY_COVERAGE=1
failed=0
ctest --test-dir build/coverage -R "^(${wanted[*]})\$" -j "$(nproc)" --timeout 1200 --output-on-failure || failed=1

# Blocks of headers that no test compiled, and of templates, have no counts of their own: gcovr takes them as they come.
gcovr --root . --object-directory build/coverage --filter '(rpc|store|actors|http)/' --gcov-ignore-parse-errors \
  --json-summary build/coverage/summary.json --html-details build/coverage/report.html >/dev/null
jq -r '[.files[] | {folder: (.filename | split("/")[:-1] | join("/")), all: .line_total, ran: .line_covered}]
  | group_by(.folder)[] | {folder: .[0].folder, all: (map(.all) | add), ran: (map(.ran) | add)}
  | select(.all > 0) | "\(.ran * 1000 / .all | round / 10)\t\(.ran)\t\(.all)\t\(.folder)"' build/coverage/summary.json |
  sort -n | awk -F'\t' '{ printf "%5.1f %%  %6d of %6d  %s\n", $1, $2, $3, $4 }'
exit "$failed"
