#include "http/client/connection.hpp"

#include <cerrno>
#include <chrono>

namespace mistify::client {

namespace {

constexpr std::size_t buffer_size = 16 * 1024; // of one TLS record

} // namespace

void connection::set_deadline(rpc::deadline until) noexcept {
  until_ = until;
  socket_.extend(until);
}

/// Repeats a step of TLS while it has to wait. Returns what the step returned, or -1 where the time is over.
template <class F>
ssize_t connection::insist(const F& step) {
  for (;;) {
    const auto n = step();
    if (n > 0)
      return n;
    if (n == 0 || errno != EAGAIN) {
      fault_ = n == 0 ? fault::closed : fault::reset;
      return n;
    }
    if (std::chrono::steady_clock::now() >= until_ || !rpc::wait_for(socket_.socket(), tls_->awaited(), until_)) {
      fault_ = fault::too_late;
      return -1;
    }
  }
}

bool connection::start_tls(const tls_client& with, const std::string& host) {
  tls_.emplace(with.start(socket_.socket(), host));
  buffer_ = std::make_unique_for_overwrite<char[]>(buffer_size);
  return insist([this] { return tls_->shake_hands(); }) > 0;
}

bool connection::send(std::string_view bytes) {
  if (!tls_)
    return socket_.send(bytes);
  while (!bytes.empty()) {
    const auto n = insist([&] { return tls_->write(bytes); });
    if (n <= 0)
      return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

std::string_view connection::peek() {
  if (!tls_)
    return socket_.peek();
  if (unread_.empty()) {
    const auto n = insist([this] { return tls_->read({buffer_.get(), buffer_size}); });
    if (n > 0)
      unread_ = {buffer_.get(), static_cast<std::size_t>(n)};
  }
  return unread_;
}

std::string_view connection::next(std::size_t most) {
  if (!tls_)
    return socket_.next(most);
  const auto bytes = peek().substr(0, most);
  unread_.remove_prefix(bytes.size());
  return bytes;
}

bool connection::is_idle_and_open() {
  return tls_ ? unread_.empty() && fault_ == fault::none && tls_->is_silent() : socket_.idle_and_open();
}

} // namespace mistify::client
