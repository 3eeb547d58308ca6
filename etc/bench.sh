#!/usr/bin/env bash
# Measures the agent against what the libraries under it can do at all, and against nginx, and prints a table: each goal
# as a ratio, both sides taken in turn in one run. Installs what is missing and builds first. On loopback and on the disk
# of the build only; nothing of it is left behind. A machine that does other things meanwhile spoils the figures.
#
# Usage: etc/bench.sh [--quick] [ROW...]     --quick: a first look in some two minutes; rows: get metrics jobs alone
#                                            download memory idle hang start ready look flat nginx-get nginx-metrics
#                                            nginx-download nginx-list tls (default: all, some 8 minutes)
#        etc/bench.sh --micro [OPTION...]    the parts that these rows show to matter: journal, JSON, hops between actors;
#                                            options of Google Benchmark, such as --benchmark_filter=job
# Environment: BUILD   where to build (default build/release)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=etc/packages.sh
. etc/packages.sh

build=${BUILD:-build/release}
install_packages "${BUILD_PACKAGES[@]}" wrk libbenchmark-dev openssl
log=$(cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DMISTIFY_BENCH=ON 2>&1) || {
  echo "$log" >&2
  exit 1
}
if [ "${1:-}" = --micro ]; then
  shift
  cmake --build "$build" --target bench_micro
  cd "$build" # the journal's files are to lie on its disk
  exec test/bench/bench_micro "$@"
fi
cmake --build "$build" --target bench
# nginx for the rows tls and nginx-*: unpacked, not installed, because its package would start a server.
PATH=$PATH:/usr/sbin:$PWD/$build/nginx/usr/sbin
command -v nginx >/dev/null || (
  mkdir -p "$build/nginx"
  cd "$build/nginx"
  apt-get download -qq nginx >/dev/null 2>&1 || { apt-get update -qq && apt-get download -qq nginx >/dev/null; }
  dpkg -x nginx_*.deb .
)
exec timeout --kill-after=5 900 "$build/test/bench/bench" "$@"
