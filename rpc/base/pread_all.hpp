#pragma once

#include <cstddef>
#include <cstdint>

namespace mistify::rpc {

/// Reads `size` bytes from that offset of a file on; returns fewer only where the file ends. Throws std::system_error.
std::size_t read_at(int fd, std::uint64_t offset, char* to, std::size_t size);

} // namespace mistify::rpc
