#!/usr/bin/env bash
# Builds the Debian packages from etc/debian into build/packages/, and has lintian look at them. Nothing of what git does not
# know goes into them. Installs what that needs, as root.
#
# Usage: etc/build-packages.sh
# Environment: MISTIFY_BUILD   a build directory that is built already, such as build/release: it is packaged, and nothing
#                              is compiled. Without hardening beyond the compiler's default, and without debug symbols
#              JOBS            compilers at a time (default: one a processor)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=etc/packages.sh
. etc/packages.sh

packages=build/packages
source=$packages/source
jobs=${JOBS:-$(nproc)}
prebuilt=${MISTIFY_BUILD:+$(realpath "$MISTIFY_BUILD")}

# What git knows, as it is now: changes that are not committed yet are packaged too.
copy_source() {
  rm -rf "$packages"
  mkdir -p "$source"
  git ls-files -z --cached --others --exclude-standard | tar --create --null --files-from=- --ignore-failed-read 2>/dev/null |
    tar --extract --directory "$source"
  cp -r "$source/etc/debian" "$source/debian"
}

build_packages() {
  local log
  log=$(realpath "$packages")/build.log
  (cd "$source" && MISTIFY_BUILD=$prebuilt DEB_BUILD_OPTIONS="nocheck parallel=$jobs${prebuilt:+ noautodbgsym}" \
    dpkg-buildpackage --build=binary --no-sign --jobs="$jobs") >"$log" 2>&1 || {
    tail -n 30 "$log"
    return 1
  }
}

# Errors and warnings are refused; what is wanted as it is has its reason in etc/debian/*.lintian-overrides.
look() {
  lintian --fail-on error,warning --tag-display-limit 0 "$packages"/*.changes
}

install_packages "${BUILD_PACKAGES[@]}" "${PACKAGE_PACKAGES[@]}"
copy_source
build_packages
look
ls -l "$packages"/*.deb
