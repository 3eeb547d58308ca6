#pragma once

#include "rpc/images/backing_chain.hpp"

#include <cstdint>
#include <filesystem>
#include <vector>

/// Disks that lie outside of a store. Here the format is not the name's to say: the caller knows it from whoever made the
/// disk. Whether QEMU may open the files is the caller's to judge, too.
namespace mistify::images {

/// Looks at one file without opening it. Symbolic links are resolved, except below /dev those to block devices: the
/// system makes them, and where they lead changes with each boot. Throws `disk_refused` if it is not there, is neither a
/// file nor a block device, or the path is not absolute or has control characters.
chain_link look_outside(const std::filesystem::path& file, disk_format format);

/// Returns all files that QEMU opens for a disk of that format, the disk itself first. A raw disk is one file, which is
/// not opened here, so that its content never matters. Throws `disk_refused` also if a header cannot be read, does not
/// say which format is behind it, or keeps data in another file, or if the chain is too long (or a loop).
std::vector<chain_link> outside_chain(const std::filesystem::path& disk, disk_format format);

/// The size of the disk in bytes as a guest sees it; 0 if it cannot be read. Does not open block devices.
std::uint64_t virtual_size(const chain_link& disk);

} // namespace mistify::images
