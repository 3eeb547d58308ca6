#include "rpc/base/last_words.hpp"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace mistify::rpc {

namespace {

using clock = std::chrono::steady_clock;

constexpr std::chrono::seconds longest{1};

bool is_writable(int fd, clock::time_point until) noexcept {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - clock::now());
    pollfd one{fd, POLLOUT, 0};
    const int ready = ::poll(&one, 1, static_cast<int>(std::max<std::int64_t>(0, left.count())));
    if (ready >= 0 || errno != EINTR)
      return ready > 0;
  }
}

/// A write of at most PIPE_BUF bytes to a pipe that is writable does not block. stderr is not made non-blocking: other
/// processes share it. For journald it is a socket.
ssize_t write_some(int fd, std::string_view text) noexcept {
  const auto size = std::min<std::size_t>(text.size(), PIPE_BUF);
  const auto sent = ::send(fd, text.data(), size, MSG_DONTWAIT | MSG_NOSIGNAL);
  return sent < 0 && errno == ENOTSOCK ? ::write(fd, text.data(), size) : sent;
}

bool write_until(int fd, std::string_view text, clock::time_point until) noexcept {
  while (!text.empty()) {
    if (!is_writable(fd, until))
      return false;
    const auto n = write_some(fd, text);
    if (n < 0 && errno != EINTR && errno != EAGAIN)
      return false;
    text.remove_prefix(n < 0 ? 0 : static_cast<std::size_t>(n));
  }
  return true;
}

} // namespace

bool write_within(int fd, std::string_view text, std::chrono::milliseconds most) noexcept {
  return write_until(fd, text, clock::now() + most);
}

void last_words(std::string_view text) noexcept {
  write_within(STDERR_FILENO, text, longest);
}

void last_words(std::string_view program, std::string_view why) noexcept {
  const auto until = clock::now() + longest;
  for (const auto part : {program, std::string_view{": "}, why, std::string_view{"\n"}})
    if (!write_until(STDERR_FILENO, part, until))
      return;
}

} // namespace mistify::rpc
