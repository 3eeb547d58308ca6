#pragma once

#include "test/system/sockets.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace mistify::bench {

/// A connected loopback socket. Throws std::system_error.
test::descriptor connect_to(std::uint16_t port);

struct http_reply {
  std::string head, body;
  int status() const;
  /// Returns a header by its name as the agent writes it; "" if absent.
  std::string header(std::string_view name) const;
};

/// A persistent loopback connection with minimal overhead, so that the figures are the server's. Every member throws
/// std::runtime_error if the server misbehaves.
class http_link {
public:
  explicit http_link(std::uint16_t port);

  void send(std::string_view method, std::string_view path, std::string_view body = {});
  http_reply ask(std::string_view method, std::string_view path, std::string_view body = {});

  /// Reads a response and discards its body; returns the size of the body.
  std::size_t ask_and_drop(std::string_view method, std::string_view path);

private:
  std::string receive_head(std::string& rest);

  test::descriptor fd_;
};

} // namespace mistify::bench
