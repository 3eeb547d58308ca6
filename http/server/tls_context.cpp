#include "http/server/tls_context.hpp"

#include "http/access/x509.hpp"
#include "rpc/base/error.hpp"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <memory>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string_view>
#include <unistd.h>

namespace mistify::http {

namespace {

constexpr std::string_view only_protocol = "\x08http/1.1"; // as ALPN lists it
constexpr std::string_view session_name = "mistify-agent"; // resumption with client certificates asks for one
constexpr int longest_chain = 8;
/// Clients keep their connections. The second ticket that OpenSSL sends otherwise is a twentieth of a handshake.
constexpr std::size_t tickets = 1;
/// The one first that every client has to know (RFC 8446, section 9.1): its hash is the cheapest of a handshake.
constexpr auto suites_1_3 = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";

[[noreturn]] void refuse(const char* key, const std::string& file, const std::string& why) {
  throw rpc::failure{rpc::errc::config_invalid, std::string{"tls."} + key + " \"" + file + "\": " + why};
}

void expect_readable(const char* key, const std::string& file) {
  if (::access(file.c_str(), R_OK) != 0)
    refuse(key, file, std::strerror(errno));
  ::ERR_clear_error();
}

/// A key with a passphrase is refused: nobody is there to type it.
int no_passphrase(char*, int, int, void*) {
  return -1;
}

int choose_protocol(SSL*, const unsigned char** out, unsigned char* size, const unsigned char* offered,
                    unsigned offered_size, void*) {
  unsigned char* chosen = nullptr;
  const int found = ::SSL_select_next_proto(&chosen, size, reinterpret_cast<const unsigned char*>(only_protocol.data()),
                                            static_cast<unsigned>(only_protocol.size()), offered, offered_size);
  *out = chosen;
  return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

void set_protocol(SSL_CTX* context, bool allow_1_2) {
  ::SSL_CTX_set_min_proto_version(context, allow_1_2 ? TLS1_2_VERSION : TLS1_3_VERSION);
  ::SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20"); // of 1.2
  ::SSL_CTX_set_ciphersuites(context, suites_1_3);
  ::SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF |
                                   SSL_OP_CIPHER_SERVER_PREFERENCE);
  ::SSL_CTX_set_mode(context,
                     SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  ::SSL_CTX_set_read_ahead(context, 1);
  ::SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  ::SSL_CTX_set_num_tickets(context, tickets);
  ::SSL_CTX_set_session_id_context(context, reinterpret_cast<const unsigned char*>(session_name.data()),
                                   session_name.size());
  ::SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
}

void read_identity(SSL_CTX* context, const actors::tls_options& files) {
  ::SSL_CTX_set_default_passwd_cb(context, no_passphrase);
  expect_readable("cert", files.cert);
  if (::SSL_CTX_use_certificate_chain_file(context, files.cert.c_str()) != 1)
    refuse("cert", files.cert, openssl_reason());
  expect_readable("key", files.key); // one of another certificate is refused too
  if (::SSL_CTX_use_PrivateKey_file(context, files.key.c_str(), SSL_FILETYPE_PEM) != 1)
    refuse("key", files.key, openssl_reason());
}

/// Names of CAs are sent only if no other certificates may come, because clients choose theirs by them.
void ask_for_certificates(SSL_CTX* context, const client_trust& trust, const std::string& authority) {
  if (!trust.asks())
    return;
  ::SSL_CTX_set1_cert_store(context, trust.store());
  ::SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  ::SSL_CTX_set_verify_depth(context, longest_chain);
  if (!trust.has_pins())
    ::SSL_CTX_set_client_CA_list(context, ::SSL_load_client_CA_file(authority.c_str()));
}

std::shared_ptr<const certificate_chain> chain_of(x509_ptr leaf, const SSL& session) {
  auto chain = std::make_shared<certificate_chain>();
  chain->leaf = std::move(leaf);
  const auto* sent = ::SSL_get_peer_cert_chain(&session); // null after a resumption; without the leaf on this side
  for (int i = 0; sent && i < sk_X509_num(sent); ++i) {
    auto* one = sk_X509_value(sent, i);
    if (::X509_up_ref(one) == 1)
      chain->between.emplace_back(one);
  }
  return chain;
}

} // namespace

void tls_context::deleter::operator()(ssl_ctx_st* context) const noexcept {
  ::SSL_CTX_free(context);
}

tls_context::tls_context(const actors::tls_options& files, std::shared_ptr<const client_trust> trust)
  : trust_{std::move(trust)}, context_{::SSL_CTX_new(::TLS_server_method())} {
  if (!context_)
    throw std::bad_alloc{};
  set_protocol(context_.get(), files.allow_1_2);
  read_identity(context_.get(), files);
  ask_for_certificates(context_.get(), *trust_, files.client_ca);
}

ssl_ptr tls_context::session_on(int fd) const noexcept {
  ssl_ptr session{::SSL_new(context_.get())};
  return session && ::SSL_set_fd(session.get(), fd) == 1 ? std::move(session) : nullptr;
}

/// A resumed session has no certificates between: those count that came when its ticket was made, as tickets do not
/// outlive the trust.
std::optional<cert_peer> tls_context::certificate_of(SSL& session) const {
  x509_ptr leaf{::SSL_get1_peer_certificate(&session)};
  if (!leaf)
    return std::nullopt;
  auto is = read_certificate(leaf.get());
  const bool resumed = ::SSL_session_reused(&session) == 1;
  if (resumed)
    is.chain = trust_->chain_of(is.sha256);
  if (!is.chain)
    is.chain = chain_of(std::move(leaf), session);
  const auto now = std::chrono::system_clock::now();
  is.by_ca = (resumed ? trust_->judge(is, now) : trust_->judge_anew(is, now)).by_ca;
  return is;
}

} // namespace mistify::http
