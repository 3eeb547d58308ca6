#pragma once

#include "rpc/agents/libvirt/adoption.hpp"
#include "rpc/agents/libvirt/disk_places.hpp"

#include <optional>
#include <string>

namespace mistify::agents {

/// A disk outside of the stores that the adoption of its domain recorded, as it is at this moment; null for a path that
/// leads to no recorded disk. A symbolic link that leads elsewhere since then is therefore not recorded. Throws
/// std::invalid_argument that names the field if other files are behind the disk than were recorded: QEMU would open them.
/// It throws likewise if `format`, which the domain's definition says, is not the recorded one; what a guest wrote to a raw
/// disk does not matter. Empty counts as raw.
std::optional<placed_disk> find_recorded(const adoption& by, const std::string& path, const std::string& format,
                                         const std::string& field);

/// True for a kernel or initrd that the adoption recorded.
bool is_recorded_boot_file(const adoption& by, const std::string& path);

} // namespace mistify::agents
