#pragma once

#include "http/client/openssl.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <sys/types.h>

namespace mistify::client {

struct settings;

/// TLS on one non-blocking socket, which others open, wait for and close. One thread at a time.
///
/// `shake_hands`, `read` and `write` return as recv(2) and send(2) do: -1 with EAGAIN where they would have to wait for
/// `awaited`. After another -1 the session is over.
class tls_session {
public:
  struct deleter {
    void operator()(SSL* one) const noexcept { openssl::loaded().SSL_free(one); }
  };
  using handle = std::unique_ptr<SSL, deleter>;

  explicit tls_session(handle one) noexcept : ssl_{std::move(one)} {}
  tls_session(tls_session&&) noexcept = default;
  tls_session& operator=(tls_session&&) = delete;
  ~tls_session();

  ssize_t shake_hands(); ///< 1 when it is done
  ssize_t read(std::span<char> to);
  ssize_t write(std::string_view bytes); ///< may write a part

  /// For poll: POLLIN or POLLOUT.
  short awaited() const noexcept { return awaited_; }
  /// True if the server has neither sent anything nor ended the connection. What TLS itself sends is passed over.
  bool is_silent();

  /// Why the server's certificate is not trusted; "" if that is not the reason.
  std::string distrust() const;
  /// What the server said when it ended the session, as for a certificate that it refuses. With TLS 1.3 that comes in place
  /// of the answer. "" if it said nothing.
  const std::string& alert() const noexcept { return alert_; }

private:
  ssize_t outcome(int result, std::size_t bytes);

  handle ssl_;
  short awaited_ = 0;
  bool broken_ = false;
  std::string alert_;
};

/// What all sessions with a server share: certificates.
class tls_client {
public:
  /// Throws `failure{tls}` for files that cannot be used.
  explicit tls_client(const settings& how);

  /// A session on a connected socket, whose server has to have a certificate for `host`, a name or an IP address.
  tls_session start(int socket, const std::string& host) const;

private:
  struct deleter {
    void operator()(SSL_CTX* one) const noexcept { openssl::loaded().SSL_CTX_free(one); }
  };
  std::unique_ptr<SSL_CTX, deleter> context_;
};

} // namespace mistify::client
