#pragma once

#include "rpc/agents/libvirt/disk_places.hpp"
#include "rpc/agents/libvirt/vnc.hpp"

namespace mistify::agents {

/// What machines may be given; the administrator says so on the command line.
struct machine_rules {
  disk_places places;
  port_range vnc_ports = {};
  bool user_network = false; ///< nics without a network get QEMU's user network, which reaches this host's loopback
};

/// Why a nic without a network is refused.
constexpr const char* no_user_network =
  "a nic needs a network: QEMU's user network would let the guest reach services on this host's loopback "
  "(mistify-libvirt --user-network allows it)";

} // namespace mistify::agents
