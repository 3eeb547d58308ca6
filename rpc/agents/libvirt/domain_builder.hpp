#pragma once

#include "rpc/agents/libvirt/host.hpp"
#include "rpc/model.hpp"

#include <string>

namespace mistify::agents {

/// The domain XML of a guest whose defaults are settled. `console_log` is the file that the serial console is written
/// to. These fields of the guest count, beside its id:
///   memory, cpu (1 where unset), vnc (a fixed port; any free one where unset)
///   disks: source, bus, device, and the unknown field `format` ("raw", "qcow2"); without it the source's ending says,
///          since a look into the disk would believe what the guest wrote there
///   nics: network (see network_kind), model, mac, device, vlans
///   metadata: boot.kernel, boot.initrd, boot.cmdline (paths on the host) boot without a boot loader
/// Throws std::invalid_argument that names the field. Everything else libvirt judges.
std::string build_domain_xml(const rpc::guest& g, const host_facts& host, const std::string& console_log);

} // namespace mistify::agents
