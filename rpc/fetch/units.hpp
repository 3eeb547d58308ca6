#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

namespace mistify::fetching {

constexpr std::uint64_t megabyte = 1024 * 1024;

/// The API counts in MB: what is begun counts whole.
constexpr std::uint64_t in_megabytes(std::uint64_t bytes) noexcept {
  return bytes / megabyte + (bytes % megabyte != 0);
}

/// Throws std::invalid_argument that names the field, where no disk is so large (over 64 TiB).
inline std::uint64_t in_bytes(std::uint64_t megabytes, const std::string& field) {
  if (megabytes > std::uint64_t{64} * 1024 * 1024)
    throw std::invalid_argument{field + ": is more than 64 TiB"};
  return megabytes * megabyte;
}

} // namespace mistify::fetching
