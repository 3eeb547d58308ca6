#pragma once

#include "rpc/agents/libvirt/hypervisor.hpp"
#include "rpc/agents/libvirt/vnc.hpp"

#include <cstdint>
#include <string>

namespace mistify::agents {

// What machines have of which there is one only. Looks at the domains that libvirt knows, so that it takes time for each.
// Throws `hypervisor_error`.

enum class among : std::uint8_t { all, running };

/// Throws std::runtime_error ("in use by …") if another domain than the guest's has the disk.
void expect_free_disk(virConnectPtr c, const std::string& path, const std::string& guest, among which);

/// Throws std::runtime_error ("vnc: port 5901 is taken by …") if another domain than the guest's has the port. Of those that
/// run the port that they listen at counts, of others the one that they would start with.
void expect_free_vnc_port(virConnectPtr c, std::int64_t port, const std::string& guest, among which);

/// A port that no other domain than the guest's has. Throws std::runtime_error if there is none left.
std::int64_t free_vnc_port(virConnectPtr c, const port_range& ports, const std::string& guest,
                           std::int64_t preferred = 0);

} // namespace mistify::agents
