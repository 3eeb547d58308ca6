#include "http/server/splice_pipe.hpp"

#include <algorithm>
#include <array>
#include <fcntl.h>

namespace mistify::http {

namespace {

constexpr std::size_t capacity = std::size_t{1} << 20; // what Linux gives to anybody

} // namespace

bool splice_pipe::open() {
  if (in_)
    return true;
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0)
    return false;
  out_ = rpc::unique_fd{ends[0]};
  in_ = rpc::unique_fd{ends[1]};
  ::fcntl(in_.get(), F_SETPIPE_SZ, static_cast<int>(capacity)); // a smaller one does too
  return true;
}

ssize_t splice_pipe::take(int source, std::size_t most) {
  const auto n =
    ::splice(source, nullptr, in_.get(), nullptr, std::min(most, capacity), SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
  left_ += static_cast<std::size_t>(std::max<ssize_t>(n, 0));
  return n;
}

ssize_t splice_pipe::give(int target) {
  const auto n = ::splice(out_.get(), nullptr, target, nullptr, left_, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
  left_ -= static_cast<std::size_t>(std::max<ssize_t>(n, 0));
  return n;
}

} // namespace mistify::http
