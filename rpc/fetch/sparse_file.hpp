#pragma once

#include "rpc/base/unique_fd.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace mistify::fetching {

/// A file that is written from begin to end and takes no space for zeros.
class sparse_file {
public:
  /// `keep_free`: bytes of the file system that it leaves to others, whoever else fills it meanwhile. Throws std::system_error
  /// where it cannot be made.
  explicit sparse_file(const std::filesystem::path& file, std::uint64_t keep_free = 0);

  /// Throws std::runtime_error (`no space left on device`), or std::system_error.
  void add(std::string_view bytes);
  /// Begins anew.
  void restart();
  /// Everything is in the file when it returns.
  void finish();

  std::uint64_t size() const noexcept { return size_; }
  std::uint64_t space() const noexcept { return space_; } ///< bytes that are no holes

private:
  void write_block(std::string_view block);
  void expect_room();

  rpc::unique_fd fd_;
  std::string held_; // less than a block
  std::uint64_t keep_free_, next_look_ = 0;
  std::uint64_t size_ = 0, space_ = 0;
};

} // namespace mistify::fetching
