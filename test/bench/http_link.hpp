#pragma once

#include "test/system/sockets.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace mistify::bench {

struct http_reply {
  std::string head, body;
  int status() const;
  /// A header by its name as the agent writes it, "" if absent.
  std::string header(std::string_view name) const;
};

/// A kept connection to a server on loopback that does as little as possible, so that the figures are the server's.
/// Everything throws std::runtime_error where the server does not play along.
class http_link {
public:
  explicit http_link(std::uint16_t port);

  void send(std::string_view method, std::string_view path, std::string_view body = {});
  http_reply ask(std::string_view method, std::string_view path, std::string_view body = {});

  /// Reads an answer and drops its body; how many bytes that had.
  std::size_t ask_and_drop(std::string_view method, std::string_view path);

private:
  std::string receive_head(std::string& rest);

  test::descriptor fd_;
};

} // namespace mistify::bench
