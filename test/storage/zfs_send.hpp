#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

namespace mistify::test {

struct zfs_send_options {
  std::uint32_t type = 3; // a volume
  std::uint64_t kind = 1; // of one dataset
  std::uint64_t from = 0; // the previous snapshot
  bool big_endian = false;
};

/// Returns the begin of a `zfs send` stream (dmu_replay_record_t of OpenZFS), followed by data in no particular
/// format.
inline std::string zfs_send(std::string_view name, std::string_view data, const zfs_send_options& options = {}) {
  std::string head(312, '\0');
  const auto put = [&](std::size_t at, std::uint64_t value, std::size_t size) {
    std::string bytes;
    for (std::size_t i = 0; i < size; ++i)
      bytes += static_cast<char>(value >> 8 * i & 0xff);
    if (options.big_endian)
      std::reverse(bytes.begin(), bytes.end());
    head.replace(at, size, bytes);
  };
  put(8, 0x2F5bacbac, 8);
  put(16, options.kind, 8);
  put(32, options.type, 4);
  put(48, options.from, 8);
  head.replace(56, name.size(), name);
  return head + std::string{data};
}

} // namespace mistify::test
