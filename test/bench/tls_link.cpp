#include "tls_link.hpp"

#include "http_link.hpp"

#include <openssl/ssl.h>
#include <stdexcept>
#include <string>
#include <vector>

namespace mistify::bench {

tls_client_settings::tls_client_settings() : context_{SSL_CTX_new(TLS_client_method()), &SSL_CTX_free} {
  SSL_CTX_set_min_proto_version(context_.get(), TLS1_3_VERSION);
  SSL_CTX_set_session_cache_mode(context_.get(), SSL_SESS_CACHE_OFF);
}

void tls_link::deleter::operator()(ssl_st* session) const noexcept {
  SSL_free(session);
}

tls_link::tls_link(const tls_client_settings& settings, std::uint16_t port)
  : fd_{connect_to(port)}, session_{SSL_new(settings.get())} {
  if (SSL_set_fd(session_.get(), fd_.get()) != 1 || SSL_connect(session_.get()) != 1)
    throw std::runtime_error{"the TLS handshake failed"};
}

std::size_t tls_link::get_and_drop(std::string_view path) {
  std::string text{"GET "};
  text.append(path).append(" HTTP/1.1\r\nHost: localhost\r\n\r\n");
  if (SSL_write(session_.get(), text.data(), static_cast<int>(text.size())) <= 0)
    throw std::runtime_error{"the server hung up"};
  std::vector<char> bytes(256 * 1024);
  http_reply reply;
  std::size_t end = 0, came = 0, n = 0;
  while ((end = reply.head.find("\r\n\r\n")) == std::string::npos) {
    if (SSL_read_ex(session_.get(), bytes.data(), bytes.size(), &n) != 1)
      throw std::runtime_error{"no answer came over TLS"};
    reply.head.append(bytes.data(), n);
  }
  came = reply.head.size() - end - 4;
  reply.head.resize(end + 2);
  if (reply.status() != 200)
    throw std::runtime_error{"an answer that is no success: " + reply.head};
  const auto size = std::stoul(reply.header("Content-Length"));
  for (; came < size; came += n)
    if (SSL_read_ex(session_.get(), bytes.data(), bytes.size(), &n) != 1)
      throw std::runtime_error{"an answer over TLS broke off"};
  return size;
}

} // namespace mistify::bench
