#!/usr/bin/env bash
# Checks the units: that systemd understands them, and that each exposes little. Prints a line for each that does not pass.
#
# Usage: etc/check-units.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

most=20 # tenths: systemd-analyze's levels are 0 to 10, of which up to 2.0 is "well protected" for a daemon
wrong=0

complain() {
  echo "$*"
  wrong=1
}

# What systemd says about a unit whose program may not be installed.
faults_of() {
  systemd-analyze verify --man=no "$1" 2>&1 | grep -F "${1##*/}" | grep -v 'is not executable' || true
}

for unit in etc/systemd/*.service etc/systemd/*.socket; do
  faults=$(faults_of "$unit")
  [ -z "$faults" ] || complain "$faults"
done
for unit in etc/systemd/mistify-*.service; do
  grep -q '^User=' "$unit" || { grep -q '^# Runs as root: ' "$unit" && continue; complain "$unit: no user"; }
  level=$(systemd-analyze security --offline=true --no-pager --threshold="$most" "$unit" | sed -n 's/.*exposure level for //p') ||
    complain "$unit: exposes too much: $level"
done
[ "$wrong" -eq 0 ] || exit 1
echo "units: understood, and exposed by at most $((most / 10)).$((most % 10))"
