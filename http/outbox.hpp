#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace mistify::http {

/// Bytes on their way to a socket: a head and a body, sent together without copying the body.
class outbox {
public:
  enum class result : std::uint8_t { sent, blocked, failed };

  void put(std::string head, std::string body);

  /// Sends what the kernel takes; never blocks. `moved` tells whether it took anything.
  result flush(int fd, bool& moved);

  bool empty() const noexcept { return sent_ == head_.size() + body_.size(); }

private:
  void forget();

  std::string head_, body_;
  std::size_t sent_ = 0; // of both together
};

} // namespace mistify::http
