#pragma once

#include "rpc/base/unique_fd.hpp"
#include "rpc/images/backing_chain.hpp"

#include <cstdint>
#include <filesystem>
#include <vector>

/// QEMU's disk format as far as the store has to understand it itself: to know what a file is without a process for each
/// question, to refuse what is dangerous, and to stream disks. Everything is written by qemu-img.
/// The format: docs/interop/qcow2.txt in QEMU's sources.
namespace mistify::agents::storage {

using mistify::images::qcow2_header;
using mistify::images::read_qcow2;

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

/// The file that is behind another, by the header of that. Throws where that is no plain path.
std::filesystem::path file_behind(const std::filesystem::path& file, const qcow2_header& header);

} // namespace mistify::agents::storage
