#pragma once

#include "rpc/agents/libvirt/disk_places.hpp"
#include "rpc/agents/libvirt/host.hpp"
#include "rpc/model/model.hpp"

#include <optional>
#include <string>
#include <vector>

namespace mistify::agents {

/// What the rules made of a guest's wishes.
struct machine_plan {
  std::vector<placed_disk> disks = {};  ///< as many as the guest has
  std::optional<placed_disk> seed = {}; ///< for its first boot
  std::string kernel = {}, initrd = {}; ///< paths; empty: none
  std::int64_t vnc_port = 0;            ///< 0: no VNC
  std::string vnc_password = {};
};

/// The domain XML of a guest whose defaults are settled. `console_log` is the file that the serial console is written
/// to. These fields of the guest count, beside its id:
///   memory, cpu (1 where unset)
///   disks: bus, device; what they are is the plan's to say
///   nics: network (see network_kind), model, mac, device, vlans
///   metadata: boot.cmdline, with a kernel in the plan
/// Throws std::invalid_argument that names the field. Everything else libvirt judges.
std::string build_domain_xml(const rpc::guest& g, const machine_plan& plan, const host_facts& host,
                             const std::string& console_log);

/// The XML of one device of such a domain. `field` names the nic in errors.
std::string build_disk_xml(const rpc::disk& disk, const placed_disk& what);
std::string build_nic_xml(const rpc::nic& nic, const host_facts& host, const std::string& field);

} // namespace mistify::agents
