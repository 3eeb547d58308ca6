#pragma once

#include "rpc/unique_fd.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// QEMU's disk format as far as the store has to understand it itself: to know what a file is without a process for each
/// question, to refuse what is dangerous, and to stream disks. Everything is written by qemu-img.
/// The format: docs/interop/qcow2.txt in QEMU's sources.
namespace mistify::agents::storage {

/// The head of a qcow2 file. Sizes in bytes.
struct qcow2_header {
  std::uint32_t cluster_bits = 0;
  std::uint64_t size = 0; ///< of the disk, as a guest sees it
  std::uint32_t l1_entries = 0;
  std::uint64_t l1_offset = 0;
  std::string backing; ///< the file behind it, as it is written there; empty: none
  bool external_data = false, encrypted = false, snapshots = false;
  bool unknown_features = false; ///< such that its clusters cannot be read here

  std::uint64_t cluster() const noexcept { return std::uint64_t{1} << cluster_bits; }
};

/// The header in the first bytes of a file (4 KiB are enough for one of qemu-img); nothing where it is no qcow2 file.
/// Throws std::runtime_error where it begins like one and then makes no sense.
std::optional<qcow2_header> parse_qcow2(std::string_view first_bytes);

/// The header of a file; nothing where it is no qcow2 file. Throws std::system_error where it cannot be read.
std::optional<qcow2_header> read_qcow2(const std::filesystem::path& file);

/// One qcow2 file, open for reading. Not thread-safe.
class qcow2_file {
public:
  /// Throws std::runtime_error where it is no qcow2 file that can be read here.
  explicit qcow2_file(std::filesystem::path file);

  const std::filesystem::path& path() const noexcept { return path_; }
  const qcow2_header& header() const noexcept { return header_; }
  int fd() const noexcept { return fd_.get(); }

  enum class kind : std::uint8_t { unallocated, zero, data };
  struct cluster {
    kind is = kind::unallocated;
    std::uint64_t offset = 0; ///< in the file, of data
  };
  /// The cluster of the disk with this number. Throws std::runtime_error where the tables are broken.
  cluster find(std::uint64_t number);

private:
  void load_l2(std::uint64_t index);

  std::filesystem::path path_;
  rpc::unique_fd fd_;
  qcow2_header header_;
  std::vector<std::uint64_t> l1_, l2_; // the second: the table that was asked for last
  std::uint64_t l2_index_ = UINT64_MAX;
};

/// A disk: a qcow2 file and those behind it. All have clusters of one size, which the first file's are. Not thread-safe.
class qcow2_chain {
public:
  /// Opens the file and all behind it, and keeps QEMU from writing to them meanwhile. They stay readable when their names
  /// go. Throws std::runtime_error.
  explicit qcow2_chain(const std::filesystem::path& top);

  std::uint64_t size() const noexcept { return files_.front().header().size; }
  std::uint64_t cluster() const noexcept { return files_.front().header().cluster(); }
  std::uint64_t clusters() const noexcept { return (size() + cluster() - 1) / cluster(); }

  struct place {
    int fd = -1; ///< -1: zeros
    std::uint64_t offset = 0;
  };
  /// Where the data of a cluster lie.
  place find(std::uint64_t number);

private:
  std::vector<qcow2_file> files_; // the first is the top
};

/// The file that is behind another, by the header of that.
std::filesystem::path backing_path(const std::filesystem::path& file, const qcow2_header& header);

} // namespace mistify::agents::storage
