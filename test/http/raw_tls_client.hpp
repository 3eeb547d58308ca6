#pragma once

#include "raw_client.hpp"

#include <cstdint>
#include <memory>
#include <openssl/ssl.h>
#include <string>

namespace mistify::test {

/// How a client speaks TLS. It does not verify the server.
struct tls_manner {
  std::string cert = {}, key = {};   ///< PEM files; empty: it has no certificate
  int version = 0;                   ///< the only one it speaks, such as TLS1_1_VERSION; 0: any
  std::string alpn = "\x08http/1.1"; ///< as the protocol lists it; "": it offers none
  SSL_SESSION* session = nullptr;    ///< to resume
};

/// A `raw_client` over TLS. Throws when the handshake fails; with 1.3 a refused certificate shows at the first read.
class raw_tls_client : public raw_client {
public:
  explicit raw_tls_client(std::uint16_t port, const tls_manner& how = {}, int receive_buffer = 0);

  SSL* session() const noexcept { return session_.get(); }
  /// The reason of OpenSSL's latest error of this client, such as the alert that came; "" if there is none.
  const std::string& reason() const noexcept { return reason_; }

protected:
  ssize_t put(const char* bytes, std::size_t size) override;
  ssize_t fetch(char* bytes, std::size_t size) override;

private:
  void note_reason();

  std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> context_;
  std::unique_ptr<SSL, void (*)(SSL*)> session_{nullptr, &SSL_free};
  std::string reason_;
};

} // namespace mistify::test
