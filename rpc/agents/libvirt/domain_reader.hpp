#pragma once

#include "rpc/model/model.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace mistify::agents {

struct disk_shape {
  std::string device, bus, source, format;
};

struct nic_shape {
  std::string kind, source, model, mac, device;
  std::vector<std::int64_t> vlans;
};

/// What of a domain's XML a guest can say or wants to know.
struct domain_shape {
  std::uint64_t memory = 0; ///< KiB
  std::uint64_t cpus = 0;
  std::string kernel, initrd, cmdline;
  std::vector<disk_shape> disks; ///< by device; without the seed, which is no disk of the guest
  std::vector<nic_shape> nics;   ///< in their order
  std::int64_t vnc = 0;          ///< port; 0 for none, -1 where libvirt chooses one at the start
};

/// Reads what libvirt, or `build_domain_xml`, wrote.
domain_shape read_domain(const std::string& xml);

/// What is different in `there` from what is asked for, in a word ("memory"); empty where it is the same machine. What
/// is asked for with libvirt to choose (a mac, a VNC port) may be anything.
std::string difference(const domain_shape& asked, const domain_shape& there);

/// Fills in what libvirt chose: the VNC port, and each nic's device and mac. Where there is no port, the guest keeps
/// what it asks for.
void fill_in(rpc::guest& g, const domain_shape& from);

} // namespace mistify::agents
