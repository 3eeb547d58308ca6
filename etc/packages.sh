#!/usr/bin/env bash
# Debian packages that the agent is built and tested with. To be sourced: `install_packages "${BUILD_PACKAGES[@]}"`
# installs what is missing, as root; without root it says what is missing and how to install it, and fails.

# shellcheck disable=SC2034 # used by whoever sources this
BUILD_PACKAGES=(
  g++ cmake ninja-build ccache pkg-config ca-certificates
  libcaf-dev libcpp-httplib-dev rapidjson-dev libsqlite3-dev libcli11-dev
  uuid-dev libssl-dev zlib1g-dev libvirt-dev libpugixml-dev
  libgoogle-perftools-dev libcurl4-openssl-dev liblzma-dev libzstd-dev libarchive-dev
  scdoc # the man pages
)
# shellcheck disable=SC2034
RUN_PACKAGES=(curl jq qemu-utils)
# shellcheck disable=SC2034
TEST_PACKAGES=(
  catch2 clang-format clang-tidy-16 curl jq qemu-utils zstd openssl prometheus google-perftools binutils chromium
  chromium-driver etcd-server etcd-client systemd valgrind
  libnss3-tools # a certificate for the browser
  zsh fish # for completion
)
# Node may be installed from elsewhere, and then brings npm along.
command -v npm >/dev/null || TEST_PACKAGES+=(nodejs npm)
# shellcheck disable=SC2034
FUZZ_PACKAGES=(clang-16 libclang-rt-16-dev)
# shellcheck disable=SC2034
COVERAGE_PACKAGES=(gcovr jq)
# For etc/build-packages.sh and etc/test-package.sh.
# shellcheck disable=SC2034
PACKAGE_PACKAGES=(debhelper dpkg-dev lintian fakeroot)
# shellcheck disable=SC2034
CHROOT_PACKAGES=(mmdebstrap)
# The daemons without the services that libvirt-daemon-system starts with them.
# shellcheck disable=SC2034
VM_PACKAGES=(libvirt-daemon libvirt-daemon-driver-qemu libvirt-clients qemu-system-x86 busybox-static
  syslinux mtools dosfstools systemd)

# Engines without what they would start by themselves.
# shellcheck disable=SC2034
CONTAINER_PACKAGES=(podman conmon runc containernetworking-plugins docker.io busybox-static socat perl)

# missing_packages NAME...: prints those that are not installed, one a line.
missing_packages() {
  local name
  for name in "$@"; do
    dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null | grep -qx installed || echo "$name"
  done
}

# install_quietly NAME...: installs them, and starts none of their services. Prints what apt-get said only where it fails.
install_quietly() (
  policy=/usr/sbin/policy-rc.d
  if [ ! -e "$policy" ] && [ ! -L "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    trap 'exit 1' INT TERM
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
  fi
  # The lists of packages may be old or, in a container, absent: fetched only when something has to be installed.
  log=$({ apt-get update -qq &&
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"; } 2>&1) || {
    echo "$log" >&2
    return 1
  }
)

install_packages() {
  local missing
  mapfile -t missing < <(missing_packages "$@")
  [ "${#missing[@]}" -gt 0 ] || return 0
  if [ "$(id -u)" -ne 0 ]; then
    {
      echo "These packages are missing: ${missing[*]}"
      echo "Install them with: sudo apt-get install --no-install-recommends ${missing[*]}"
    } >&2
    return 1
  fi
  echo "Installing ${missing[*]}"
  install_quietly "${missing[@]}"
}
