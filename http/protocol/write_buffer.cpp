#include "http/protocol/write_buffer.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>
#include <sys/uio.h>

namespace mistify::http {

namespace {

/// A body up to this size is copied behind its head: one piece costs the kernel less than two.
constexpr std::size_t small_body = 2 * 1024;
/// Idle connections are many: none of them keeps more memory than this.
constexpr std::size_t most_kept = 4 * 1024;

} // namespace

std::string& write_buffer::begin() {
  if (head_.capacity() > most_kept)
    std::string{}.swap(head_);
  head_.clear();
  std::string{}.swap(body_);
  shared_ = nullptr;
  sent_ = 0;
  return head_;
}

void write_buffer::put(std::string body) {
  if (body.size() <= small_body)
    head_ += body;
  else
    body_ = std::move(body);
}

void write_buffer::put(std::shared_ptr<const std::string> body) {
  shared_ = std::move(body);
}

write_buffer::result write_buffer::flush(client_socket& to, bool& moved) {
  moved = false;
  const auto text = body();
  while (sent_ < head_.size() + text.size()) {
    auto of_head = std::min(sent_, head_.size()), of_body = sent_ - of_head;
    const std::array<iovec, 2> parts{{{head_.data() + of_head, head_.size() - of_head},
                                      {const_cast<char*>(text.data()) + of_body, text.size() - of_body}}};
    const auto n = to.write(std::span{parts}.first(text.empty() ? 1 : 2));
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return errno == EAGAIN ? result::blocked : result::failed;
    sent_ += static_cast<std::size_t>(n);
    moved = true;
  }
  begin();
  return result::sent;
}

} // namespace mistify::http
