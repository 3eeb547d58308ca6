#include "http/server/transfer.hpp"

#include "http/protocol/response_writer.hpp"
#include "rpc/base/process.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <limits>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

namespace mistify::http {

namespace {

iovec part(std::string_view text) {
  return {const_cast<char*>(text.data()), text.size()};
} // sendmsg only reads

/// What is left of `parts` when the first `n` bytes are gone.
std::span<iovec> skip(std::span<iovec> parts, std::size_t n) {
  while (!parts.empty() && n >= parts.front().iov_len) {
    n -= parts.front().iov_len;
    parts = parts.subspan(1);
  }
  if (!parts.empty()) {
    parts.front().iov_base = static_cast<char*>(parts.front().iov_base) + n;
    parts.front().iov_len -= n;
  }
  return parts;
}

} // namespace

transfer::transfer(client_socket& to, answer a, manner how)
  : to_{to}, answer_{std::move(a)}, how_{std::move(how)}, pace_{how_.pace} {}

void transfer::run(const std::function<answer(std::exception_ptr)>& on_error) {
  auto source = std::get<streamed>(std::exchange(answer_.body, {})).run;
  answer result;
  rpc::block_pipe_signal(); // the thread runs downloads only; a write to a client that has left returns an error
  try {
    result = source(*this);
  } catch (...) {
    result = on_error(std::current_exception());
  }
  if (begun_) {
    end_ = finish(result.status);
    return;
  }
  end_ = ending::refused;
  answer_ = std::move(result);
}

void transfer::begin(std::int64_t content_length) {
  if (std::exchange(begun_, true))
    return;
  length_ = content_length;
  head_options options;
  options.date = date_now();
  options.content_length = length_;
  options.chunked = chunked();
  options.http_1_0 = how_.http_1_0;
  options.keep_alive = how_.keep_alive && persists();
  options.request_id = how_.request_id;
  answer_.status = 200;
  failed_ = !send_text(write_head(answer_, options));
}

bool transfer::write(std::string_view bytes) {
  if (!begun_)
    begin(-1);
  if (failed_ || how_.head_only)
    return false;
  if (bytes.empty()) // as a chunk it would be the last
    return true;
  sent_ += static_cast<std::int64_t>(bytes.size());
  if (length_ >= 0 && sent_ > length_) {
    failed_ = true;
  } else if (chunked()) {
    std::array<char, 20> size{};
    auto digits = std::snprintf(size.data(), size.size(), "%zx\r\n", bytes.size());
    std::array<iovec, 3> parts{part({size.data(), static_cast<std::size_t>(digits)}), part(bytes), part("\r\n")};
    failed_ = !send_all(parts);
  } else {
    failed_ = !send_text(bytes);
  }
  return !failed_;
}

std::optional<ssize_t> transfer::relay(int source, std::size_t most) {
  // A chunk says its size before its bytes, which are not known here; TLS encrypts in this process.
  if (length_ < 0 || how_.head_only || to_.is_tls() || !pipe_.open())
    return copy(source, most);
  if (failed_ || sent_ >= length_)
    return std::nullopt;
  const auto n = pipe_.take(source, std::min(most, static_cast<std::size_t>(length_ - sent_)));
  if (n <= 0)
    return n;
  sent_ += n;
  if ((failed_ = !drain_pipe()))
    return std::nullopt;
  return n;
}

std::optional<ssize_t> transfer::copy(int source, std::size_t most) {
  std::array<char, 64 * 1024> bytes; // recv fills what counts
  const auto n = ::recv(source, bytes.data(), std::min(most, bytes.size()), MSG_DONTWAIT);
  if (n > 0 && !write({bytes.data(), static_cast<std::size_t>(n)}))
    return std::nullopt;
  return n;
}

bool transfer::drain_pipe() {
  while (pipe_.left() > 0) {
    const auto n = pipe_.give(to_.fd());
    if (n >= 0)
      to_.count(static_cast<std::size_t>(n));
    else if (errno == EAGAIN ? !wait_for_room() : errno != EINTR)
      return false;
  }
  return true;
}

transfer::ending transfer::finish(int status) {
  if (how_.head_only)
    return failed_ ? ending::broken : ending::clean;
  if (failed_ || status != 200 || (length_ >= 0 && sent_ != length_))
    return ending::broken;
  return chunked() && !send_text("0\r\n\r\n") ? ending::broken : ending::clean;
}

bool transfer::send_text(std::string_view text) {
  std::array<iovec, 1> parts{part(text)};
  return send_all(parts);
}

bool transfer::send_all(std::span<iovec> parts) {
  parts = skip(parts, 0);
  while (!parts.empty()) {
    const auto n = to_.write(parts);
    if (n >= 0) {
      parts = skip(parts, static_cast<std::size_t>(n));
    } else if (errno == EAGAIN ? !wait_for_room() : errno != EINTR) {
      return false;
    }
  }
  return true;
}

std::uint64_t transfer::taken() const noexcept {
  const auto sent = to_.sent(), on_their_way = unacknowledged_bytes(to_.fd());
  return sent > on_their_way ? sent - on_their_way : 0;
}

bool transfer::wait_for_room() {
  pace_.waits(now(), taken());
  for (;;) {
    pollfd p{to_.fd(), to_.awaited(), 0};
    const auto longest = std::clamp<tick>(pace_.look_at() - now(), 0, std::numeric_limits<int>::max());
    const int n = ::poll(&p, 1, static_cast<int>(longest));
    if (n > 0) {
      pace_.rests(now());
      return true;
    }
    if ((n < 0 && errno != EINTR) || pace_.too_slow(now(), taken()))
      return false;
  }
}

} // namespace mistify::http
