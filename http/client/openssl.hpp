#pragma once

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

namespace mistify::client {

/// The functions of OpenSSL that a client needs, by their own names. The library is loaded when the first `tls_client` is
/// made: loading it takes longer than all that a command does at a unix socket.
class openssl {
public:
  /// Throws `failure{tls}` if the library cannot be loaded. Thread-safe.
  static const openssl& loaded();

private:
  class library {
  public:
    library();
    void* symbol(const char* name) const;

  private:
    void* handle_; // never closed: OpenSSL registers work for the end of the process
  };
  const library from_;

public:
// NOLINTNEXTLINE(bugprone-macro-parentheses): a name takes none
#define MISTIFY_OPENSSL(name) decltype(&::name) name = reinterpret_cast<decltype(&::name)>(from_.symbol(#name))
  MISTIFY_OPENSSL(TLS_client_method);
  MISTIFY_OPENSSL(SSL_CTX_new);
  MISTIFY_OPENSSL(SSL_CTX_free);
  MISTIFY_OPENSSL(SSL_CTX_ctrl);
  MISTIFY_OPENSSL(SSL_CTX_set_verify);
  MISTIFY_OPENSSL(SSL_CTX_load_verify_locations);
  MISTIFY_OPENSSL(SSL_CTX_set_default_verify_paths);
  MISTIFY_OPENSSL(SSL_CTX_use_certificate_chain_file);
  MISTIFY_OPENSSL(SSL_CTX_use_PrivateKey_file);
  MISTIFY_OPENSSL(SSL_CTX_check_private_key);
  MISTIFY_OPENSSL(SSL_new);
  MISTIFY_OPENSSL(SSL_free);
  MISTIFY_OPENSSL(SSL_ctrl);
  MISTIFY_OPENSSL(SSL_set_fd);
  MISTIFY_OPENSSL(SSL_get0_param);
  MISTIFY_OPENSSL(X509_VERIFY_PARAM_set1_host);
  MISTIFY_OPENSSL(X509_VERIFY_PARAM_set1_ip_asc);
  MISTIFY_OPENSSL(SSL_connect);
  MISTIFY_OPENSSL(SSL_read_ex);
  MISTIFY_OPENSSL(SSL_peek_ex);
  MISTIFY_OPENSSL(SSL_write_ex);
  MISTIFY_OPENSSL(SSL_shutdown);
  MISTIFY_OPENSSL(SSL_get_error);
  MISTIFY_OPENSSL(SSL_get_verify_result);
  MISTIFY_OPENSSL(X509_verify_cert_error_string);
  MISTIFY_OPENSSL(ERR_clear_error);
  MISTIFY_OPENSSL(ERR_get_error);
  MISTIFY_OPENSSL(ERR_reason_error_string);
#undef MISTIFY_OPENSSL
};

} // namespace mistify::client
