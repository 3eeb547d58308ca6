#pragma once

#include "rpc/model/model.hpp"

#include <libvirt/libvirt.h>

#include <functional>
#include <string>

namespace mistify::agents {

/// What a nic's `network` may be the name of.
enum class network_kind : std::uint8_t {
  user,         ///< nothing: QEMU's own user mode network, which only --user-network allows
  libvirt,      ///< a network that libvirt knows
  bridge,       ///< a bridge of the kernel
  open_vswitch, ///< a bridge of Open vSwitch
};

/// What a domain depends on besides its guest. The function may be called while the connection it is of is open.
struct host_facts {
  std::string type = "qemu"; ///< of the domain: "kvm", "qemu", "test"
  std::string arch = "x86_64";
  std::function<network_kind(const std::string& network)> kind_of;
};

/// Asks libvirt and the kernel. KVM where libvirt offers it and the processor runs machines, else what comes first of
/// what can be emulated. Throws `hypervisor_error`.
host_facts look_at_host(virConnectPtr c);

/// With the stage's arg `domain` ("kvm", "qemu") as the type, where there is one. Machines of the test driver are of no other
/// kind. Throws std::invalid_argument for anything else.
host_facts with_wish(host_facts host, const rpc::metadata_map& args);

/// Type and architecture, from the text of libvirt's capabilities.
host_facts read_capabilities(const std::string& xml, bool with_kvm);

/// Whether a processor runs machines itself, from the text of /proc/cpuinfo. libvirt does not look: it offers KVM wherever
/// /dev/kvm opens, which also the paravirtual KVMs of some clouds do, under which only their own kernels start.
bool runs_machines(const std::string& cpuinfo);

} // namespace mistify::agents
