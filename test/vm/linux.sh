#!/usr/bin/env bash
# The small Linux that the guests of etc/test-vm.sh run: Debian's cloud kernel, and a busybox that test/vm/guest/init
# drives. To be sourced.

# In the order in which they need each other, the kernel's modules for virtio, the power button, and the device by which
# it tells that it crashes.
guest_modules=(
  drivers/virtio/virtio_ring drivers/virtio/virtio drivers/virtio/virtio_pci_legacy_dev
  drivers/virtio/virtio_pci_modern_dev drivers/virtio/virtio_pci drivers/block/virtio_blk
  net/core/failover drivers/net/net_failover drivers/net/virtio_net
  drivers/acpi/button drivers/input/evdev drivers/misc/pvpanic/pvpanic drivers/misc/pvpanic/pvpanic-mmio
)

kernel_package() {
  apt-cache depends linux-image-cloud-amd64 2>/dev/null | awk '/Depends:/ { print $2; exit }'
}

# fetch_kernel DIRECTORY: unpacks the kernel's package into it, and installs nothing: this machine's /boot is its own.
# What was fetched before is taken again.
fetch_kernel() {
  local package
  ! compgen -G "$1/boot/vmlinuz-*" >/dev/null || return 0
  package=$(kernel_package)
  if [ -z "$package" ]; then
    apt-get update -qq
    package=$(kernel_package)
  fi
  mkdir -p "$1"
  (cd "$1" && apt-get download -qq -o APT::Sandbox::User=root "$package" && dpkg-deb --extract "$package"_*.deb .)
  rm "$1"/*.deb
}

# make_initrd KERNEL_DIRECTORY FILE
make_initrd() {
  local tree=$2.tree module
  rm -rf "$tree"
  mkdir -p "$tree"/{bin,dev,proc,sys,lib/modules,etc/acpi/PWRF}
  cp "$(command -v busybox)" "$tree/bin/"
  for module in "${guest_modules[@]}"; do
    cp "$1"/lib/modules/*/kernel/"$module.ko" "$tree/lib/modules/"
    basename "$module"
  done >"$tree/lib/modules/order"
  cp test/vm/guest/init "$tree/init"
  cp test/vm/guest/power_button "$tree/etc/acpi/PWRF/00000080"
  (cd "$tree" && find . | busybox cpio -o -H newc 2>/dev/null) | gzip -1 >"$2"
}
