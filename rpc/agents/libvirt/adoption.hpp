#pragma once

#include "rpc/images/backing_chain.hpp"

#include <libvirt/libvirt.h>

#include <optional>
#include <string>
#include <vector>

/// The mark that the adoption of a domain leaves in its metadata. It makes a domain with another name a guest's, and
/// records which files outside of the stores QEMU may open for it. Only libvirt's administrators and this sub-agent can
/// write it; no client and no guest can.
namespace mistify::agents {

/// All files of a disk, the disk itself first.
using recorded_disk = std::vector<images::chain_link>;

struct adoption {
  std::string id;                        ///< of the guest: the domain's UUID
  std::vector<recorded_disk> disks{};    ///< those outside of the stores
  std::vector<std::string> boot_files{}; ///< its kernel and initrd; paths without symbolic links
};

/// The mark in the domain's definition; null if it has none that can be read. Whoever copies a definition copies the mark,
/// so that its `id` may be another domain's. Throws `hypervisor_error`.
std::optional<adoption> read_mark(virDomainPtr d);

/// The same, but null if the mark's id is not the domain's UUID.
std::optional<adoption> find_adoption(virDomainPtr d);

/// Writes the mark into the definition and, if the domain is on, into the machine that runs. Replaces an earlier one.
/// Throws `hypervisor_error`.
void write_mark(virDomainPtr d, const adoption& what);

/// The domain's UUID in lower case. Throws `hypervisor_error`.
std::string uuid_of(virDomainPtr d);

/// The XML element of a mark, and the reverse; null for any other text.
std::string encode_mark(const adoption& what);
std::optional<adoption> decode_mark(const std::string& xml);

} // namespace mistify::agents
