#pragma once

#include "http/protocol/client_socket.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace mistify::http {

/// Bytes on their way to a socket: a head and a body, sent together without copying the body, unless it is small.
class write_buffer {
public:
  enum class result : std::uint8_t { sent, blocked, failed };

  /// Forgets what was there, and returns the text that the next head is written to. It keeps its memory from answer to
  /// answer.
  std::string& begin();
  /// The body behind the head.
  void put(std::string body);
  /// A body that other answers may hold as well. Not null.
  void put(std::shared_ptr<const std::string> body);

  /// Sends what the kernel takes; never blocks. `moved` tells whether it took anything.
  result flush(client_socket& to, bool& moved);

  bool empty() const noexcept { return sent_ == head_.size() + body().size(); }

  /// Bytes that are held here and nowhere else.
  std::size_t own() const noexcept { return head_.size() + body_.size(); }
  const std::shared_ptr<const std::string>& shared() const noexcept { return shared_; }

private:
  std::string_view body() const noexcept { return shared_ ? *shared_ : body_; }

  std::string head_, body_;
  std::shared_ptr<const std::string> shared_; // where set, `body_` is empty
  std::size_t sent_ = 0;                      // of head and body together
};

} // namespace mistify::http
