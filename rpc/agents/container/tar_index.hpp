#pragma once

#include "rpc/base/unique_fd.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace mistify::agents::container {

/// What a tar file holds, by its heads. Belongs to one thread; reads only.
class tar_index {
public:
  struct entry {
    std::string name = {};  ///< without a leading "./"
    std::string link = {};  ///< the name that a link leads to; "" for all else
    std::uint64_t data = 0; ///< where its content begins in the file
    std::uint64_t size = 0; ///< of its content
    bool is_file = false;
  };

  /// Reads all heads. Throws std::runtime_error for what is no tar file, is cut off, has more than 100,000 entries,
  /// names that lead out of the archive, or names of more than 4096 bytes or 16 MiB in all; std::system_error where the file cannot be read.
  explicit tar_index(const std::filesystem::path& file);

  const std::vector<entry>& entries() const noexcept { return entries_; }
  /// The last entry of that name that is a file; null if there is none.
  const entry* find(std::string_view name) const noexcept;
  /// The same, or the file that the last entry of that name leads to in one step.
  const entry* follow(std::string_view name) const noexcept;
  /// The content of a small file. Throws std::runtime_error if it is larger than `most` bytes.
  std::string read(const entry& e, std::size_t most) const;
  /// Reads up to `size` bytes of the archive from `offset` on; returns how many.
  std::size_t read_at(std::uint64_t offset, char* to, std::size_t size) const;

private:
  void scan();
  std::uint64_t take(std::uint64_t at, const std::string& head);
  void take_extension(char type, const std::string& text);
  void take_names(entry& e, const std::string& head);

  rpc::unique_fd fd_;
  std::uint64_t size_ = 0;
  std::vector<entry> entries_;
  std::size_t names_size_ = 0;
  // Of the entry that is being read:
  std::string long_name_, long_link_;
  std::uint64_t long_size_ = 0;
};

/// True if the bytes can be the begin of a tar file.
bool is_tar_head(std::string_view head) noexcept;

/// The head of a regular file in a tar: 512 bytes. A size of 8 GiB or more is in base 256, which all engines read.
std::string tar_head(std::string_view name, std::uint64_t size);

inline constexpr std::uint64_t tar_block = 512;

constexpr std::uint64_t padded(std::uint64_t size) noexcept {
  return (size + tar_block - 1) / tar_block * tar_block;
}

} // namespace mistify::agents::container
