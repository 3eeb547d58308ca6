#include "raw_tls_client.hpp"

#include <csignal>
#include <openssl/err.h>
#include <stdexcept>

namespace mistify::test {

raw_tls_client::raw_tls_client(std::uint16_t port, const tls_manner& how, int receive_buffer)
  : raw_client{port, receive_buffer}, context_{SSL_CTX_new(TLS_client_method()), &SSL_CTX_free} {
  std::signal(SIGPIPE, SIG_IGN); // OpenSSL writes without MSG_NOSIGNAL
  SSL_CTX_set_options(context_.get(), SSL_OP_IGNORE_UNEXPECTED_EOF);
  if (how.version != 0) {
    SSL_CTX_set_security_level(context_.get(), 0);
    SSL_CTX_set_min_proto_version(context_.get(), how.version);
    SSL_CTX_set_max_proto_version(context_.get(), how.version);
  }
  if (!how.cert.empty() && (SSL_CTX_use_certificate_chain_file(context_.get(), how.cert.c_str()) != 1 ||
                            SSL_CTX_use_PrivateKey_file(context_.get(), how.key.c_str(), SSL_FILETYPE_PEM) != 1))
    throw std::runtime_error{"the client's certificate cannot be read"};
  session_.reset(SSL_new(context_.get()));
  if (!how.alpn.empty())
    SSL_set_alpn_protos(session_.get(), reinterpret_cast<const unsigned char*>(how.alpn.data()),
                        static_cast<unsigned>(how.alpn.size()));
  if (how.session)
    SSL_set_session(session_.get(), how.session);
  SSL_set_fd(session_.get(), fd());
  ERR_clear_error();
  if (SSL_connect(session_.get()) != 1) {
    note_reason();
    throw std::runtime_error{"the handshake failed: " + reason_};
  }
}

void raw_tls_client::note_reason() {
  if (const auto* reason = ERR_reason_error_string(ERR_peek_last_error()))
    reason_ = reason;
}

ssize_t raw_tls_client::put(const char* bytes, std::size_t size) {
  ERR_clear_error();
  const int n = SSL_write(session_.get(), bytes, static_cast<int>(size));
  if (n <= 0)
    note_reason();
  return n;
}

ssize_t raw_tls_client::fetch(char* bytes, std::size_t size) {
  ERR_clear_error();
  const int n = SSL_read(session_.get(), bytes, static_cast<int>(size));
  if (n <= 0)
    note_reason();
  return n > 0 ? n : SSL_get_error(session_.get(), n) == SSL_ERROR_ZERO_RETURN ? 0 : -1;
}

} // namespace mistify::test
