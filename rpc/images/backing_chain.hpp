#pragma once

#include "rpc/images/qcow2_header.hpp"
#include "rpc/images/store_file.hpp"

#include <cstdint>
#include <filesystem>
#include <string_view>
#include <vector>

namespace mistify::images {

enum class disk_format : std::uint8_t { raw, qcow2 };

/// One file that QEMU opens for a disk.
struct chain_link {
  std::filesystem::path path; ///< without symbolic links; what QEMU should be given
  disk_format format = disk_format::raw;
  bool is_device = false;
};

/// What a store keeps under such a name: qcow2 files end in `.qcow2`, block devices are raw. Neither the file's content, which
/// a guest may have written, nor a client has a say in it. Throws `disk_refused` for names that a store does not give.
disk_format format_in_store(const disk_file& file);

/// True if QEMU takes the name for anything but a path: `json:`, `nbd:`, `fat:`, `file:`.
bool names_a_protocol(std::string_view name) noexcept;

/// The file that a header names as the one behind `file`, as QEMU would open it: `..` is not resolved here, since it may
/// follow a symbolic link. Throws `disk_refused` if the name is no plain path.
std::filesystem::path backing_path(const std::filesystem::path& file, const qcow2_header& header);

/// All files that QEMU opens for a disk, the disk's own first. `format` is what the store says that the disk is: a raw disk is
/// one file, whatever its first bytes look like. Throws `disk_refused` if any of them lies outside of the places, is no plain
/// file or device, keeps its data in yet another file, leaves the format of the next one to QEMU's probing, or if there are
/// too many of them (also: a loop).
///
/// Holds until somebody changes the files: the folders must be writable by the store only, and the disk by nobody but the
/// guest, which cannot reach the header of a qcow2 disk. Any thread may call.
std::vector<chain_link> backing_chain(const std::filesystem::path& disk, disk_format format,
                                      const std::vector<store_root>& roots);

/// The same, with the format by `format_in_store`.
std::vector<chain_link> backing_chain(const std::filesystem::path& disk, const std::vector<store_root>& roots);

} // namespace mistify::images
