#include "rpc/base/pread_all.hpp"

#include <cerrno>
#include <system_error>
#include <unistd.h>

namespace mistify::rpc {

std::size_t read_at(int fd, std::uint64_t offset, char* to, std::size_t size) {
  std::size_t got = 0;
  while (got < size) {
    const auto n = ::pread(fd, to + got, size - got, static_cast<off_t>(offset + got));
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      throw std::system_error{errno, std::generic_category(), "read"};
    if (n == 0)
      break;
    got += static_cast<std::size_t>(n);
  }
  return got;
}

} // namespace mistify::rpc
