#include "http/client/tls.hpp"

#include "http/client/failure.hpp"
#include "http/client/transport.hpp"
#include "rpc/base/process.hpp"

#include <cerrno>
#include <poll.h>

namespace mistify::client {

// -- sessions --------------------------------------------------------------------------------------------------------

tls_session::~tls_session() {
  if (!ssl_ || broken_)
    return;
  openssl::loaded().ERR_clear_error();
  openssl::loaded().SSL_shutdown(ssl_.get());
}

ssize_t tls_session::shake_hands() {
  openssl::loaded().ERR_clear_error(); // the queue is the thread's
  return outcome(openssl::loaded().SSL_connect(ssl_.get()), 1);
}

ssize_t tls_session::read(std::span<char> to) {
  std::size_t n = 0;
  openssl::loaded().ERR_clear_error();
  const int result = openssl::loaded().SSL_read_ex(ssl_.get(), to.data(), to.size(), &n);
  return outcome(result, n);
}

ssize_t tls_session::write(std::string_view bytes) {
  std::size_t n = 0;
  openssl::loaded().ERR_clear_error();
  const int result = openssl::loaded().SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &n);
  return outcome(result, n);
}

bool tls_session::is_silent() {
  char byte;
  std::size_t n = 0;
  openssl::loaded().ERR_clear_error();
  const int result = openssl::loaded().SSL_peek_ex(ssl_.get(), &byte, 1, &n);
  return outcome(result, n) < 0 && errno == EAGAIN;
}

/// The error queue is from this call only.
ssize_t tls_session::outcome(int result, std::size_t bytes) {
  if (result > 0)
    return static_cast<ssize_t>(bytes);
  const auto& lib = openssl::loaded();
  switch (lib.SSL_get_error(ssl_.get(), result)) {
  case SSL_ERROR_ZERO_RETURN: return 0;
  case SSL_ERROR_WANT_READ: awaited_ = POLLIN; break;
  case SSL_ERROR_WANT_WRITE: awaited_ = POLLOUT; break;
  default:
    broken_ = true;
    while (const auto error = lib.ERR_get_error())
      if (ERR_GET_LIB(error) == ERR_LIB_SSL && ERR_GET_REASON(error) > SSL_AD_REASON_OFFSET) {
        const auto* words = lib.ERR_reason_error_string(error);
        alert_ = words ? words : "alert";
      }
    errno = EPROTO;
    return -1;
  }
  errno = EAGAIN;
  return -1;
}

std::string tls_session::distrust() const {
  const auto result = openssl::loaded().SSL_get_verify_result(ssl_.get());
  return result == X509_V_OK ? std::string{} : openssl::loaded().X509_verify_cert_error_string(result);
}

// -- certificates ----------------------------------------------------------------------------------------------------

tls_client::tls_client(const settings& how)
  : context_{openssl::loaded().SSL_CTX_new(openssl::loaded().TLS_client_method())} {
  const auto& lib = openssl::loaded();
  auto* context = context_.get();
  if (!context)
    throw failure{fault::tls, "OpenSSL cannot be used"};
  rpc::block_pipe_signal(); // OpenSSL writes without MSG_NOSIGNAL
  lib.SSL_CTX_ctrl(context, SSL_CTRL_SET_MIN_PROTO_VERSION, TLS1_2_VERSION, nullptr);
  lib.SSL_CTX_ctrl(context, SSL_CTRL_MODE, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER,
                   nullptr);
  lib.SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  const bool has_authorities = how.ca_file.empty()
                                 ? lib.SSL_CTX_set_default_verify_paths(context) == 1
                                 : lib.SSL_CTX_load_verify_locations(context, how.ca_file.c_str(), nullptr) == 1;
  if (!has_authorities)
    throw failure{fault::tls, "the certification authority's file cannot be used: " + how.ca_file};
  if (how.cert_file.empty())
    return;
  if (lib.SSL_CTX_use_certificate_chain_file(context, how.cert_file.c_str()) != 1 ||
      lib.SSL_CTX_use_PrivateKey_file(context, how.key_file.c_str(), SSL_FILETYPE_PEM) != 1 ||
      lib.SSL_CTX_check_private_key(context) != 1)
    throw failure{fault::tls, how.cert_file + ": the certificate and its key cannot be used"};
}

tls_session tls_client::start(int socket, const std::string& host) const {
  const auto& lib = openssl::loaded();
  tls_session::handle made{lib.SSL_new(context_.get())};
  if (!made)
    throw failure{fault::tls, "OpenSSL cannot be used"};
  auto* expected = lib.SSL_get0_param(made.get());
  if (lib.X509_VERIFY_PARAM_set1_ip_asc(expected, host.c_str()) != 1) {
    // A name, which the server may need to choose its certificate by. The library only reads it.
    lib.X509_VERIFY_PARAM_set1_host(expected, host.c_str(), host.size());
    lib.SSL_ctrl(made.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, const_cast<char*>(host.c_str()));
  }
  lib.SSL_set_fd(made.get(), socket);
  return tls_session{std::move(made)};
}

} // namespace mistify::client
