#pragma once

#include <cstddef>
#include <cstdint>

namespace mistify::rpc {

/// Reads `size` bytes at an offset of a file; returns fewer only at its end. Throws std::system_error.
std::size_t read_at(int fd, std::uint64_t offset, char* to, std::size_t size);

} // namespace mistify::rpc
