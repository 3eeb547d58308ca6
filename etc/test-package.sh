#!/usr/bin/env bash
# Builds the Debian packages, then installs, runs, upgrades, removes and purges them in a small Debian of their own. Ends in a
# line "N passed, N failed". Needs root, for a chroot and namespaces: nothing of this machine is touched.
#
# Usage: etc/test-package.sh
# Environment: MISTIFY_BUILD   packages what is built already, see etc/build-packages.sh
# Logs of the last run are in build/package-test/.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=etc/packages.sh
. etc/packages.sh
# shellcheck source=test/shell.sh
. test/shell.sh
# shellcheck source=test/package/chroot.sh
. test/package/chroot.sh
# shellcheck source=test/package/checks.sh
. test/package/checks.sh

run=build/package-test
root=$(realpath -m "$run/root")

if [ "${1:-}" != --inside ]; then
  install_packages "${CHROOT_PACKAGES[@]}" "${RUN_PACKAGES[@]}"
  etc/build-packages.sh
  rm -rf "$run"
  mkdir -p "$run"
  namespaces=(--mount --pid --fork --kill-child --mount-proc)
  if ! refusal=$(unshare "${namespaces[@]}" true 2>&1); then
    echo "SKIPPED: no package was installed, since this place allows no namespaces of its own ($refusal)"
    exit 0
  fi
  exec unshare "${namespaces[@]}" bash "$0" --inside
fi

# -- inside ----------------------------------------------------------------------------------------------------------

trap 'exit 1' INT TERM
passed=0 failed=0

# check NAME COMMAND...: counts as one test. What comes after one that failed would only fail with it.
check() {
  local name=$1 begin=${EPOCHREALTIME/./} verdict
  shift
  set +e
  (set -e; "$@") >"$run/output" 2>&1
  verdict=$?
  set -e
  if [ "$verdict" -eq 0 ]; then
    passed=$((passed + 1))
    printf '%6.1f s  %s\n' "$(((${EPOCHREALTIME/./} - begin) / 100000))e-1" "$name"
    return
  fi
  failed=$((failed + 1))
  echo "FAILED    $name"
  tail -n 15 "$run/output" "$root"/var/log/*.unit.log 2>/dev/null || true
  finish
}

finish() {
  echo
  echo "$passed passed, $failed failed"
  exit "$((failed > 0))"
}

check "a small Debian is set up" make_chroot
check "the packages are installed" installs
check "files, modes, users and groups are as documented" is_installed_right
check "the daemons start as their units have them" starts_units
check "root has a guest made, with its disk" makes_a_guest
check "a member of the group mistify operates it, and may do no more" operates
check "nobody reads, calls or replaces anything" keeps_nobody_out
check "an upgrade keeps config, guests, jobs and disks" upgrades
check "a removal keeps them too" is_removed_and_back
check "a purge keeps folders that hold disks, and says so" is_purged_with_disks
check "a purge of empty folders leaves nothing but users and groups" is_purged
finish
