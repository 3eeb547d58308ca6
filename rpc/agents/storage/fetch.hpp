#pragma once

#include "rpc/fetch/file_fetch.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

namespace mistify::agents::storage {

// What rpc/fetch has is used here under its own names.
using namespace fetching;

/// A disk image on its way from a URL into a file. Belongs to one thread.
class fetch {
public:
  using order = file_fetch::order;

  /// As `file_fetch`. `zfs_streams`: what `zfs send` makes may come, too.
  fetch(order what, const fetch_limits& limits, reader_settings reading, std::function<bool()> stop,
        fetch_progress& progress, bool zfs_streams = false);

  /// Fills `file` and returns what it is: "raw", "qcow2", or "zfs" where that may come. Throws std::runtime_error, without
  /// secrets of the source; the file is the caller's to remove.
  std::string run(const std::filesystem::path& file);

  /// Of what `run` read: where it came from, its SHA-256, and the bytes that it takes on disk.
  const std::string& source() const noexcept { return file_.source(); }
  const std::string& sum() const noexcept { return file_.sum(); }
  std::uint64_t space() const noexcept { return file_.space(); }

private:
  void judge(std::string_view head);

  const std::uint64_t max_size_;
  const bool zfs_streams_;
  bool is_zfs_ = false;
  file_fetch file_; // last: it calls `judge`
};

/// What an image file is, by its content: "raw" or "qcow2". Throws std::runtime_error where it needs another file, which a
/// foreign image could name as it likes, or cannot be used.
std::string format_of_image(const std::filesystem::path& file, std::uint64_t max_size);

} // namespace mistify::agents::storage
