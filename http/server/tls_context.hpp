#pragma once

#include "actors/config/access.hpp"
#include "http/access/client_trust.hpp"
#include "http/protocol/client_socket.hpp"
#include "http/protocol/peer.hpp"

#include <memory>
#include <optional>

struct ssl_ctx_st;

namespace mistify::http {

/// The server's certificate, key and TLS settings: what new connections begin with. Immutable and thread-safe. A reload
/// makes a new one, with new keys for tickets, so that no session outlives the trust it was made with.
class tls_context {
public:
  /// Reads the files. Throws `failure{config_invalid}` that names the file and the reason.
  tls_context(const actors::tls_options& files, std::shared_ptr<const client_trust> trust);

  /// Null if there is no memory. The context has to outlive the session.
  ssl_ptr session_on(int fd) const noexcept;

  /// The client certificate of a finished handshake. Null if there is none.
  std::optional<cert_peer> certificate_of(ssl_st& session) const;

private:
  struct deleter {
    void operator()(ssl_ctx_st* context) const noexcept;
  };

  std::shared_ptr<const client_trust> trust_;
  std::unique_ptr<ssl_ctx_st, deleter> context_;
};

/// What a TLS connection begins with. Both are null for a plain one.
struct tls_start {
  std::shared_ptr<const tls_context> context;
  ssl_ptr session;

  /// `session` is null if there is no memory.
  static tls_start on(int fd, std::shared_ptr<const tls_context> context) {
    auto session = context->session_on(fd);
    return {std::move(context), std::move(session)};
  }
};

} // namespace mistify::http
