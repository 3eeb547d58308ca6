#pragma once

#include "test/system/sockets.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

struct ssl_ctx_st;
struct ssl_st;

namespace mistify::bench {

/// What TLS connections of the benchmark begin with: TLS 1.3, no verification, no resumption. Thread-safe.
class tls_client_settings {
public:
  tls_client_settings();
  ssl_ctx_st* get() const noexcept { return context_.get(); }

private:
  std::shared_ptr<ssl_ctx_st> context_;
};

/// A loopback connection with TLS. Every member throws std::runtime_error if the server misbehaves.
class tls_link {
public:
  /// Connects and shakes hands.
  tls_link(const tls_client_settings& settings, std::uint16_t port);

  /// Sends a GET, reads the response and discards its body; returns the size of the body.
  std::size_t get_and_drop(std::string_view path);

private:
  struct deleter {
    void operator()(ssl_st* session) const noexcept;
  };

  test::descriptor fd_;
  std::unique_ptr<ssl_st, deleter> session_;
};

} // namespace mistify::bench
