#include "http/protocol/write_buffer.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <sys/uio.h>

namespace mistify::http {

void write_buffer::put(std::string head, std::string body) {
  head_ = std::move(head);
  body_ = std::move(body);
  shared_ = nullptr;
  sent_ = 0;
}

void write_buffer::put(std::string head, std::shared_ptr<const std::string> body) {
  put(std::move(head), std::string{});
  shared_ = std::move(body);
}

write_buffer::result write_buffer::flush(client_socket& to, bool& moved) {
  moved = false;
  const auto text = body();
  while (sent_ < head_.size() + text.size()) {
    auto of_head = std::min(sent_, head_.size()), of_body = sent_ - of_head;
    std::array<iovec, 2> parts{{{head_.data() + of_head, head_.size() - of_head},
                                {const_cast<char*>(text.data()) + of_body, text.size() - of_body}}};
    const auto n = to.write(parts);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return errno == EAGAIN ? result::blocked : result::failed;
    sent_ += static_cast<std::size_t>(n);
    moved = true;
  }
  forget();
  return result::sent;
}

void write_buffer::forget() {
  // Heads and small bodies keep their memory for the next answer; idle connections are many.
  head_.clear();
  std::string{}.swap(body_);
  shared_ = nullptr;
  sent_ = 0;
}

} // namespace mistify::http
