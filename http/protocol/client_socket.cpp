#include "http/protocol/client_socket.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

namespace mistify::http {

namespace {

constexpr std::size_t record = 16 * 1024; // what TLS encrypts at a time

std::string_view text_of(const iovec& part) {
  return {static_cast<const char*>(part.iov_base), part.iov_len};
}

/// Copies the beginning of `parts`, so that a head and a small body make one record.
std::string_view gather(std::span<const iovec> parts, std::array<char, record>& to) {
  std::size_t n = 0;
  for (const auto& part : parts)
    n += text_of(part).copy(to.data() + n, to.size() - n);
  return {to.data(), n};
}

/// The queue is the thread's. To clear an empty one takes 1,700 instructions.
void forget_errors() noexcept {
  if (::ERR_peek_error() != 0)
    ::ERR_clear_error();
}

/// What OpenSSL asked the kernel for last, and got.
struct kernel_read {
  std::size_t asked = 0, got = 0;
};

/// OpenSSL calls this around each read and write of a socket. The argument is the `kernel_read` of the read under way.
long note_read(BIO* socket, int operation, const char*, std::size_t asked, int, long, int result, std::size_t* got) {
  auto* note = reinterpret_cast<kernel_read*>(::BIO_get_callback_arg(socket));
  if (note && operation == (BIO_CB_READ | BIO_CB_RETURN))
    *note = {asked, result > 0 && got ? *got : 0};
  return result;
}

} // namespace

void ssl_deleter::operator()(ssl_st* session) const noexcept {
  ::SSL_free(session);
}

client_socket::client_socket(int fd) noexcept : fd_{fd}, awaited_{POLLOUT} {}

client_socket::client_socket(int fd, ssl_ptr session) noexcept
  : fd_{fd}, session_{std::move(session)}, awaited_{POLLIN} {
  ::BIO_set_callback_ex(::SSL_get_rbio(session_.get()), note_read);
}

client_socket::handshake client_socket::shake_hands() noexcept {
  forget_errors();
  const int result = ::SSL_accept(session_.get());
  if (result == 1)
    return handshake::done;
  met_plain_http_ = ERR_GET_REASON(::ERR_peek_error()) == SSL_R_HTTP_REQUEST;
  return outcome(result, 0) < 0 && errno == EAGAIN ? handshake::waits : handshake::failed;
}

std::string_view client_socket::certificate_fault() const noexcept {
  const auto fault = session_ ? ::SSL_get_verify_result(session_.get()) : X509_V_OK;
  return fault == X509_V_OK ? std::string_view{} : ::X509_verify_cert_error_string(fault);
}

ssize_t client_socket::read(std::span<char> to) noexcept {
  return session_ ? read_tls(to) : read_plain(to);
}

ssize_t client_socket::write(std::span<const iovec> parts) {
  if (session_)
    return write_tls(parts);
  const auto n = write_plain(parts);
  sent_ += static_cast<std::uint64_t>(std::max<ssize_t>(n, 0));
  return n;
}

ssize_t client_socket::write_plain(std::span<const iovec> parts) const noexcept {
  constexpr int flags = MSG_NOSIGNAL | MSG_DONTWAIT;
  if (parts.size() == 1) // the kernel has less to look at
    return ::send(fd_, parts.front().iov_base, parts.front().iov_len, flags);
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(parts.data()); // sendmsg only reads
  message.msg_iovlen = parts.size();
  return ::sendmsg(fd_, &message, flags);
}

void client_socket::write_interim(std::string_view text) {
  if (!session_) {
    ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  } else if (owed_.empty()) {
    owed_ = text;
    pay();
  }
}

ssize_t client_socket::discard(std::span<char> to) noexcept {
  return ::recv(fd_, to.data(), to.size(), MSG_DONTWAIT);
}

void client_socket::say_goodbye() noexcept {
  if (!session_ || broken_ || !::SSL_is_init_finished(session_.get()))
    return;
  forget_errors();
  ::SSL_shutdown(session_.get());
}

std::uint64_t client_socket::sent() const noexcept {
  return session_ ? ::BIO_number_written(::SSL_get_wbio(session_.get())) : sent_;
}

ssize_t client_socket::read_plain(std::span<char> to) noexcept {
  const auto got = ::recv(fd_, to.data(), to.size(), MSG_DONTWAIT);
  drained_ = got >= 0 && static_cast<std::size_t>(got) < to.size();
  return got;
}

/// The kernel has nothing more if OpenSSL got less from it than it asked for, in this very call. OpenSSL may hold more.
ssize_t client_socket::read_tls(std::span<char> to) noexcept {
  if (!owed_.empty())
    pay();
  forget_errors();
  kernel_read last;
  auto* source = ::SSL_get_rbio(session_.get());
  ::BIO_set_callback_arg(source, reinterpret_cast<char*>(&last));
  std::size_t n = 0;
  const int result = ::SSL_read_ex(session_.get(), to.data(), to.size(), &n);
  ::BIO_set_callback_arg(source, nullptr);
  drained_ = n > 0 && last.got > 0 && last.got < last.asked && !::SSL_has_pending(session_.get());
  const auto got = outcome(result, n);
  if (!owed_.empty())
    awaited_ = POLLOUT; // what is owed waits for room
  return got;
}

ssize_t client_socket::write_tls(std::span<const iovec> parts) {
  if (!owed_.empty() && !pay())
    return -1;
  while (!parts.empty() && parts.front().iov_len == 0)
    parts = parts.subspan(1);
  if (parts.empty())
    return 0;
  if (parts.size() == 1 || parts.front().iov_len >= record)
    return encrypt(text_of(parts.front()));
  std::array<char, record> bytes; // `gather` says how many count
  return encrypt(gather(parts, bytes));
}

ssize_t client_socket::encrypt(std::string_view bytes) noexcept {
  forget_errors();
  std::size_t n = 0;
  const int result = ::SSL_write_ex(session_.get(), bytes.data(), bytes.size(), &n);
  if (const auto written = outcome(result, n); written != 0)
    return written;
  broken_ = true; // after the client's goodbye OpenSSL reports a broken connection as its end
  errno = EPIPE;
  return -1;
}

/// What recv(2) or sendmsg(2) would return. The error queue is from this call only.
ssize_t client_socket::outcome(int result, std::size_t n) noexcept {
  if (result > 0)
    return static_cast<ssize_t>(n);
  switch (::SSL_get_error(session_.get(), result)) {
  case SSL_ERROR_ZERO_RETURN: return 0;
  case SSL_ERROR_WANT_READ: awaited_ = POLLIN; break;
  case SSL_ERROR_WANT_WRITE: awaited_ = POLLOUT; break;
  default:
    broken_ = true;
    errno = EPROTO;
    return -1;
  }
  errno = EAGAIN;
  return -1;
}

/// False with errno as `write` if the interim text has not gone out.
bool client_socket::pay() noexcept {
  while (!owed_.empty()) {
    const auto n = encrypt(owed_);
    if (n <= 0)
      return false;
    owed_.erase(0, static_cast<std::size_t>(n));
  }
  return true;
}

} // namespace mistify::http
