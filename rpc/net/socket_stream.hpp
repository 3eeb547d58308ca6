#pragma once

#include "rpc/net/tcp.hpp"

#include <array>
#include <cstddef>
#include <functional>
#include <httplib.h>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace mistify::rpc {

/// One TCP connection as the HTTP engine sees it. Internal: its header is slow to compile.
///
/// cpp-httplib's own sockets bound each read only; this one bounds what lasts and what grows: a deadline for everything
/// up to the next `begin`, and a budget of bytes to receive. Belongs to one thread; only `abort` may come from others.
class socket_stream final : public httplib::Stream {
public:
  /// Why reading or writing failed.
  enum class fault : std::uint8_t { none, closed, reset, too_late, budget };

  static constexpr std::size_t usual_buffer = 16 * 1024;

  /// Takes over a connected, non-blocking socket.
  explicit socket_stream(unique_fd fd);

  /// Starts an exchange: `budget` bytes may be received until `until`. What lies in the socket when the time is over is
  /// received still: the process may have been stopped meanwhile.
  void begin(deadline until, std::size_t budget) noexcept;
  void extend(deadline until) noexcept {
    until_ = until;
    in_time_.reset();
  }
  void allow(std::size_t budget) noexcept { budget_ = budget; } ///< from now on

  /// From now on writes are bounded by this time each, not by the deadline.
  void bound_writes(std::chrono::milliseconds each) noexcept { write_time_ = each; }

  /// Drops the connection: every blocked and later read or write fails at once. Thread-safe.
  void abort() const noexcept;

  /// Sends what `write` held back. False when that failed.
  bool flush();

  bool send(std::string_view bytes); ///< all of them; false when that failed
  /// Sends bytes of a file (zeros behind its end), which do not pass through this process. False when that failed.
  bool send_file(int fd, std::uint64_t offset, std::size_t size);
  std::size_t send_at_once(std::string_view bytes); ///< as many as go without waiting

  /// What is written until the next read counts as sent: it was, by `send`.
  void next_was_sent() noexcept { sent_ = true; }

  /// Until the next `begin`: where a read would have to wait, the connection counts as closed.
  void never_wait() noexcept { may_wait_ = false; }

  /// Receives what is there, without waiting: false where nothing is. True at the end of the connection, of the time and on any
  /// fault, too; `why` tells them.
  bool take_what_came();
  std::string_view unread() const noexcept { return unread_; } ///< received, and not read yet

  /// Receives so many bytes at a time from now on. What came and was not read stays.
  void use_buffer(std::size_t size);

  /// As `read`, without a copy: up to `most` of the bytes that come next, to be used before the next call. Empty where
  /// `read` fails.
  std::string_view next(std::size_t most);

  /// Has `take(socket)` take the next bytes off the socket, once there are some; what that returns, as recv(2). 0
  /// where `read` fails. Only once what was received before has been read.
  std::size_t pass(const std::function<ssize_t(int socket)>& take);
  bool holds_bytes() const noexcept { return !unread_.empty(); }

  /// Waits for the next byte, or for the end of the connection; false when the time is over.
  bool wait(deadline until) const;

  /// False when the other end closed, or sent something nobody asked for: not to be used again.
  bool idle_and_open() const noexcept;

  /// True when the other end closed the connection, and nothing of it is left to read. Thread-safe.
  bool other_end_left() const noexcept;

  fault why() const noexcept { return fault_; }

  /// The last bytes that were read end in `text` (of at most four bytes).
  bool ended_with(std::string_view text) const noexcept;

  bool is_readable() const override;
  bool is_writable() const override;
  ssize_t read(char* to, std::size_t size) override; ///< 0 at the end of the connection, -1 on any other fault
  /// Holds the first write after a read back (the head of a message), so that it leaves together with the second.
  ssize_t write(const char* from, std::size_t size) override;
  void get_remote_ip_and_port(std::string& ip, int& port) const override;
  void get_local_ip_and_port(std::string& ip, int& port) const override;
  socket_t socket() const override { return fd_.get(); }

private:
  std::optional<ssize_t> try_fill(); ///< nothing where it would have to wait
  ssize_t fill();
  bool came_in_time(std::size_t bytes) noexcept;
  std::size_t bytes_there() const noexcept;
  ssize_t note(fault why) noexcept;  ///< keeps the first; returns what `read` says to it
  bool wait_to_send(deadline until); ///< after a send that failed: false where it is not worth another one
  void remember(std::string_view bytes) noexcept;

  unique_fd fd_;
  deadline until_ = never;
  std::size_t budget_ = static_cast<std::size_t>(-1);
  std::optional<std::size_t>
    in_time_; // bytes left of those that lay in the socket when the deadline was found to be over
  std::chrono::milliseconds write_time_{0};
  std::size_t buffer_size_ = usual_buffer;
  std::unique_ptr<char[]> buffer_;
  std::string_view unread_;
  std::string held_;
  bool hold_ = true, sent_ = false, may_wait_ = true;
  std::array<char, 4> tail_{};
  fault fault_ = fault::none;
};

} // namespace mistify::rpc
