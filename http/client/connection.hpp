#pragma once

#include "http/client/tls.hpp"
#include "rpc/net/socket_stream.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace mistify::client {

/// One connection to a server, plain or in TLS, with a deadline for everything that waits. One thread at a time.
class connection {
public:
  using fault = rpc::socket_stream::fault;

  /// Takes over a connected, non-blocking socket.
  explicit connection(rpc::unique_fd socket) : socket_{std::move(socket)} {}

  /// From now on everything is in TLS. False if no session came about: see `tls`.
  bool start_tls(const tls_client& with, const std::string& host);

  void set_deadline(rpc::deadline until) noexcept;
  bool send(std::string_view bytes); ///< all of them; false when that failed

  /// The bytes that come next, at least one, without using them up; waits for some. Valid until the next call. Empty at
  /// the end of the connection and on any fault.
  std::string_view peek();
  /// As `peek`, but uses up to `most` of the bytes up and returns these.
  std::string_view next(std::size_t most);

  /// Why sending or receiving failed.
  fault why() const noexcept { return tls_ ? fault_ : socket_.why(); }
  /// False when the other end closed, or sent something nobody asked for: not to be used again.
  bool is_idle_and_open();
  /// Null without TLS.
  const tls_session* tls() const noexcept { return tls_ ? &*tls_ : nullptr; }

private:
  template <class F>
  ssize_t insist(const F& step);

  rpc::socket_stream socket_;
  std::optional<tls_session> tls_; // after the socket, on which it says goodbye
  rpc::deadline until_ = rpc::never;
  fault fault_ = fault::none;
  std::unique_ptr<char[]> buffer_;
  std::string_view unread_; // of what was decrypted
};

} // namespace mistify::client
