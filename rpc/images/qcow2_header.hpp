#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

/// Disk files as the sub-agents see them before QEMU opens them as root. A guest may have written any byte of a raw disk, and
/// a stranger any byte of an image, so nothing in a file is believed.
namespace mistify::images {

/// The head of a qcow2 file. Sizes in bytes. The format: docs/interop/qcow2.txt in QEMU's sources.
struct qcow2_header {
  std::uint32_t cluster_bits = 0;
  std::uint64_t size = 0; ///< of the disk, as a guest sees it
  std::uint32_t l1_entries = 0;
  std::uint64_t l1_offset = 0;
  std::string backing;        ///< the file behind it, as it is written there; empty: none
  std::string backing_format; ///< as it is written there; empty: QEMU would probe
  std::string data_file;      ///< as it is written there; may be empty although `external_data` is set
  bool external_data = false, encrypted = false, snapshots = false;
  bool unknown_features = false; ///< such that its clusters cannot be read here

  std::uint64_t cluster() const noexcept { return std::uint64_t{1} << cluster_bits; }
};

/// Bytes from the begin of a file that `parse_qcow2` needs of what qemu-img writes.
constexpr std::size_t qcow2_head_size = 4096;

/// True for bytes that QEMU's probing takes for a qcow2 file.
bool begins_like_qcow2(std::string_view first_bytes) noexcept;

/// Parses the header in the first bytes of a file; null if it is no qcow2 file. Throws std::runtime_error if it begins like
/// one and is not sound, or names a file outside of these bytes. Pure.
std::optional<qcow2_header> parse_qcow2(std::string_view first_bytes);

/// Reads the header of an open file. Throws std::system_error if it cannot be read.
std::optional<qcow2_header> read_qcow2(int fd);

/// Reads the header of a regular file or block device. Throws std::system_error if it cannot be opened, std::runtime_error
/// if it is anything else.
std::optional<qcow2_header> read_qcow2(const std::filesystem::path& file);

} // namespace mistify::images
