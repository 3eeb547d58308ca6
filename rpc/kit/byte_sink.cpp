#include "rpc/kit/byte_sink.hpp"

#include "rpc/base/pread_all.hpp"

#include <algorithm>
#include <string>

namespace mistify::rpc {

bool byte_sink::file(int fd, std::uint64_t offset, std::size_t size) const {
  if (file_)
    return file_(fd, offset, size);
  constexpr std::size_t piece = 1024 * 1024;
  std::string bytes;
  for (std::size_t done = 0; done < size; done += bytes.size()) {
    bytes.resize(std::min(piece, size - done));
    const auto got = read_at(fd, offset + done, bytes.data(), bytes.size());
    std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(got), bytes.end(), '\0');
    if (!bytes_(bytes))
      return false;
  }
  return true;
}

} // namespace mistify::rpc
