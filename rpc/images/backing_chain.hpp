#pragma once

#include "rpc/images/qcow2_header.hpp"
#include "rpc/images/store_file.hpp"

#include <cstdint>
#include <filesystem>
#include <string_view>
#include <vector>

namespace mistify::images {

enum class disk_format : std::uint8_t { raw, qcow2 };

/// A file that QEMU opens for a disk.
struct chain_link {
  std::filesystem::path path; ///< without symbolic links; the path to give to QEMU
  disk_format format = disk_format::raw;
  bool is_device = false;
};

/// Returns the format by the store's naming: qcow2 files end in `.qcow2`, block devices are raw. Depends neither on
/// the content, which a guest may have written, nor on clients. Throws `disk_refused` for names that a store does not
/// use.
disk_format format_in_store(const disk_file& file);

/// True if QEMU does not treat the name as a path: `json:`, `nbd:`, `fat:`, `file:`.
bool names_a_protocol(std::string_view name) noexcept;

/// Returns the backing file named by the header of `file`, as QEMU would open it: `..` is not resolved, since it may
/// follow a symbolic link. Throws `disk_refused` if the name is not a plain path.
std::filesystem::path backing_path(const std::filesystem::path& file, const qcow2_header& header);

/// Returns all files that QEMU opens for a disk, the disk itself first. `format` is the disk's format by the store: a
/// raw disk is one file, whatever its first bytes are. Throws `disk_refused` if any file lies outside of `roots`, is
/// not a regular file or device, keeps its data in another file, or leaves the next format to QEMU's probing, or if
/// the chain is too long (or a loop).
/// Valid until the files are changed: only the store may write to the folders, and only the guest to the disk; a
/// guest cannot reach the header of a qcow2 disk. Any thread may call.
std::vector<chain_link> backing_chain(const std::filesystem::path& disk, disk_format format,
                                      const std::vector<store_root>& roots);

/// As above, with the format from `format_in_store`.
std::vector<chain_link> backing_chain(const std::filesystem::path& disk, const std::vector<store_root>& roots);

} // namespace mistify::images
