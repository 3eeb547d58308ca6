#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

/// Checks of disk files before QEMU opens them as root. Guests write any bytes to raw disks, and images come from
/// strangers, so no file content is trusted.
namespace mistify::images {

/// The header of a qcow2 file. Sizes in bytes. The format: docs/interop/qcow2.txt in QEMU's sources.
struct qcow2_header {
  std::uint32_t cluster_bits = 0;
  std::uint64_t size = 0; ///< virtual size of the disk
  std::uint32_t l1_entries = 0;
  std::uint64_t l1_offset = 0;
  std::string backing;        ///< the backing file as named in the header; empty: none
  std::string backing_format; ///< as named in the header; empty: QEMU would probe
  std::string data_file;      ///< as named in the header; may be empty although `external_data` is set
  bool external_data = false, encrypted = false, snapshots = false;
  bool unknown_features = false; ///< its clusters cannot be read here

  std::uint64_t cluster() const noexcept { return std::uint64_t{1} << cluster_bits; }
};

/// The bytes at the start of a file that `parse_qcow2` needs for files written by qemu-img.
constexpr std::size_t qcow2_head_size = 4096;

/// True for bytes that QEMU's probing recognises as qcow2.
bool begins_like_qcow2(std::string_view first_bytes) noexcept;

/// Parses the header in the first bytes of a file; null if it is not a qcow2 file. Throws std::runtime_error if the
/// header is invalid, or names a file outside of these bytes. Pure.
std::optional<qcow2_header> parse_qcow2(std::string_view first_bytes);

/// Reads the header of an open file. Throws std::system_error if it cannot be read.
std::optional<qcow2_header> read_qcow2(int fd);

/// Reads the header of a regular file or block device. Throws std::system_error if it cannot be opened, std::runtime_error
/// if it is anything else.
std::optional<qcow2_header> read_qcow2(const std::filesystem::path& file);

} // namespace mistify::images
