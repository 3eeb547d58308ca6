#include "rpc/net/socket_stream.hpp"

#include "rpc/base/process.hpp"

#include <algorithm>
#include <cerrno>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <utility>

namespace mistify::rpc {

socket_stream::socket_stream(unique_fd fd)
  : fd_{std::move(fd)}, buffer_{std::make_unique_for_overwrite<char[]>(usual_buffer)} {}

void socket_stream::begin(deadline until, std::size_t budget) noexcept {
  extend(until);
  budget_ = budget - std::min(budget, unread_.size());
  may_wait_ = true;
}

void socket_stream::abort() const noexcept {
  ::shutdown(fd_.get(), SHUT_RDWR);
}

ssize_t socket_stream::note(fault why) noexcept {
  if (fault_ == fault::none)
    fault_ = why;
  return why == fault::closed ? 0 : -1;
}

std::size_t socket_stream::bytes_there() const noexcept {
  int bytes = 0;
  return ::ioctl(fd_.get(), FIONREAD, &bytes) == 0 ? static_cast<std::size_t>(bytes) : 0;
}

/// Bytes that come one by one behind the deadline are too late.
bool socket_stream::came_in_time(std::size_t bytes) noexcept {
  if (!in_time_)
    return true;
  const bool some_did = *in_time_ > 0;
  *in_time_ -= std::min(*in_time_, bytes);
  return some_did;
}

std::optional<ssize_t> socket_stream::try_fill() {
  for (;;) {
    const bool over = until_ != never && std::chrono::steady_clock::now() >= until_;
    if (over && !in_time_)
      in_time_ = bytes_there();
    const auto n = ::recv(fd_.get(), buffer_.get(), buffer_size_, 0);
    if (n > 0) {
      const auto got = static_cast<std::size_t>(n);
      if (!came_in_time(got))
        return note(fault::too_late);
      if (got > budget_)
        return note(fault::budget);
      budget_ -= got;
      unread_ = {buffer_.get(), got};
      return n;
    }
    if (n == 0)
      return note(fault::closed);
    if ((errno == EAGAIN || errno == EWOULDBLOCK) && over)
      return note(fault::too_late);
    if (errno == EAGAIN || errno == EWOULDBLOCK)
      return std::nullopt;
    if (errno != EINTR)
      return note(fault::reset);
  }
}

ssize_t socket_stream::fill() {
  for (;;) {
    if (const auto n = try_fill())
      return *n;
    if (!may_wait_)
      return note(fault::closed);
    if (!wait_for(fd_.get(), POLLIN, until_))
      return note(fault::too_late);
  }
}

bool socket_stream::take_what_came() {
  return !unread_.empty() || try_fill().has_value();
}

void socket_stream::use_buffer(std::size_t size) {
  size = std::max(size, unread_.size());
  auto fresh = std::make_unique_for_overwrite<char[]>(size);
  std::copy(unread_.begin(), unread_.end(), fresh.get());
  unread_ = {fresh.get(), unread_.size()};
  buffer_ = std::move(fresh);
  buffer_size_ = size;
}

std::string_view socket_stream::peek() {
  return !unread_.empty() || fill() > 0 ? unread_ : std::string_view{};
}

std::string_view socket_stream::next(std::size_t most) {
  const auto bytes = peek().substr(0, most);
  unread_.remove_prefix(bytes.size());
  return bytes;
}

std::size_t socket_stream::pass(const std::function<ssize_t(int socket)>& take) {
  for (;;) {
    const auto n = take(fd_.get());
    if (n > 0)
      return static_cast<std::size_t>(n);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
      if (wait(until_))
        continue;
      note(fault::too_late);
    } else {
      note(n == 0 ? fault::closed : fault::reset);
    }
    return 0;
  }
}

bool socket_stream::wait_to_send(deadline until) {
  if (errno == EINTR)
    return true;
  const bool full = errno == EAGAIN || errno == EWOULDBLOCK;
  if (full && wait_for(fd_.get(), POLLOUT, until))
    return true;
  note(full ? fault::too_late : fault::reset);
  return false;
}

bool socket_stream::send(std::string_view bytes) {
  const auto until = write_time_.count() > 0 ? deadline_after(write_time_) : until_;
  while (!bytes.empty()) {
    const auto n = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n >= 0)
      bytes.remove_prefix(static_cast<std::size_t>(n));
    else if (!wait_to_send(until))
      return false;
  }
  return true;
}

std::size_t socket_stream::send_at_once(std::string_view bytes) {
  const auto n = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  return n < 0 ? 0 : static_cast<std::size_t>(n);
}

bool socket_stream::send_file(int fd, std::uint64_t offset, std::size_t size) {
  block_pipe_signal(); // sendfile knows no MSG_NOSIGNAL
  const auto until = write_time_.count() > 0 ? deadline_after(write_time_) : until_;
  auto at = static_cast<off_t>(offset);
  while (size > 0) {
    const auto n = ::sendfile(fd_.get(), fd, &at, size);
    if (n == 0)
      break;
    if (n > 0)
      size -= static_cast<std::size_t>(n);
    else if (!wait_to_send(until))
      return false;
  }
  return size == 0 || send(std::string(size, '\0'));
}

bool socket_stream::wait(deadline until) const {
  return !unread_.empty() || wait_for(fd_.get(), POLLIN, until);
}

bool socket_stream::idle_and_open() const noexcept {
  char byte;
  return unread_.empty() && fault_ == fault::none && ::recv(fd_.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
         (errno == EAGAIN || errno == EWOULDBLOCK);
}

bool socket_stream::other_end_left() const noexcept {
  char byte;
  const auto n = ::recv(fd_.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return n == 0 || (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

} // namespace mistify::rpc
