#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <sys/types.h>

struct iovec;
struct ssl_st;

namespace mistify::http {

struct ssl_deleter {
  void operator()(ssl_st* session) const noexcept;
};
using ssl_ptr = std::unique_ptr<ssl_st, ssl_deleter>;

/// The socket of a client, plain or with TLS over it. The descriptor does not block and is not owned. Used by one thread at
/// a time. With TLS the process has to ignore SIGPIPE, because OpenSSL writes without MSG_NOSIGNAL.
class client_socket {
public:
  enum class handshake : std::uint8_t { done, waits, failed };

  explicit client_socket(int fd) noexcept;
  /// TLS, as the server. `session` is not null and has the descriptor.
  client_socket(int fd, ssl_ptr session) noexcept;

  int fd() const noexcept { return fd_; }
  bool is_tls() const noexcept { return session_ != nullptr; }
  ssl_st* session() const noexcept { return session_.get(); }

  /// Goes on with the TLS handshake. `waits`: to be called again at the next event of the socket. After `failed` the alert
  /// has been sent, and only `discard` may be called.
  handshake shake_hands() noexcept;
  /// True if the handshake failed because the client speaks HTTP without TLS.
  bool met_plain_http() const noexcept { return met_plain_http_; }

  /// Why the client's certificate does not hold, after a handshake that failed because of that; else "".
  std::string_view certificate_fault() const noexcept;

  /// As recv(2): 0 at the end, -1 with errno EAGAIN if nothing is there.
  ssize_t read(std::span<char> to) noexcept;
  /// True if the last `read` took all that there was: what comes later makes an event of its own. May be false in vain.
  bool drained() const noexcept { return drained_; }

  /// As sendmsg(2). After EAGAIN, TLS has to be given the same bytes again.
  ssize_t write(std::span<const iovec> parts);

  /// Writes a short text that may be lost if the client takes nothing. Only between two answers.
  void write_interim(std::string_view text);

  /// Reads bytes as they come, without decrypting them, to throw them away. As recv(2).
  ssize_t discard(std::span<char> to) noexcept;

  /// Says with TLS that nothing follows, so that the client can tell the end from a broken connection. Does nothing else.
  void say_goodbye() noexcept;

  /// Bytes that the kernel has taken so far, in the form in which they travel.
  std::uint64_t sent() const noexcept;
  /// Counts bytes that were moved to the descriptor past this class. Not with TLS.
  void count(std::size_t n) noexcept { sent_ += n; }

  /// The poll(2) event after which what said EAGAIN last is to be tried again. Before that, of TLS: POLLIN.
  short awaited() const noexcept { return awaited_; }

private:
  ssize_t read_plain(std::span<char> to) noexcept;
  ssize_t read_tls(std::span<char> to) noexcept;
  ssize_t write_plain(std::span<const iovec> parts) const noexcept;
  ssize_t write_tls(std::span<const iovec> parts);
  ssize_t encrypt(std::string_view bytes) noexcept;
  ssize_t outcome(int result, std::size_t n) noexcept;
  bool pay() noexcept;

  int fd_;
  ssl_ptr session_;
  std::string owed_; ///< an interim text that TLS has begun to write
  std::uint64_t sent_ = 0;
  short awaited_;
  bool broken_ = false, met_plain_http_ = false, drained_ = false;
};

} // namespace mistify::http
