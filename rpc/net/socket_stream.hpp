#pragma once

#include "rpc/net/tcp.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace mistify::rpc {

/// One connection of a TCP or unix socket, with bounds on what lasts and what grows: a deadline for everything up to the
/// next `begin`, and a budget of bytes to receive. Belongs to one thread; only `abort` may come from others.
class socket_stream {
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

  bool send(std::string_view bytes); ///< all of them; false when that failed
  /// Sends bytes of a file (zeros behind its end), which do not pass through this process. False when that failed.
  bool send_file(int fd, std::uint64_t offset, std::size_t size);
  std::size_t send_at_once(std::string_view bytes); ///< as many as go without waiting

  /// Until the next `begin`: where a read would have to wait, the connection counts as closed.
  void never_wait() noexcept { may_wait_ = false; }

  /// Receives what is there, without waiting: false where nothing is. True at the end of the connection, of the time and on any
  /// fault, too; `why` tells them.
  bool take_what_came();
  std::string_view unread() const noexcept { return unread_; } ///< received, and not read yet

  /// Receives so many bytes at a time from now on. What came and was not read stays.
  void use_buffer(std::size_t size);

  /// The bytes that come next, at least one, without using them up; waits for some. Valid until the next call that
  /// receives. Empty at the end of the connection and on any fault.
  std::string_view peek();

  /// As `peek`, but uses up to `most` of the bytes up and returns these.
  std::string_view next(std::size_t most);

  /// Calls `take(socket)` once there are bytes on the socket, to take the next ones off it; `take` returns as recv(2).
  /// Returns 0 at the end of the connection and on any fault. Only once what was received before has been read.
  std::size_t pass(const std::function<ssize_t(int socket)>& take);
  bool holds_bytes() const noexcept { return !unread_.empty(); }

  /// Waits for the next byte, or for the end of the connection; false when the time is over.
  bool wait(deadline until) const;

  /// False when the other end closed, or sent something nobody asked for: not to be used again.
  bool idle_and_open() const noexcept;

  /// True when the other end closed the connection, and nothing of it is left to read. Thread-safe.
  bool other_end_left() const noexcept;

  fault why() const noexcept { return fault_; }

  int socket() const noexcept { return fd_.get(); }

private:
  std::optional<ssize_t> try_fill(); ///< nothing where it would have to wait
  ssize_t fill();
  bool came_in_time(std::size_t bytes) noexcept;
  std::size_t bytes_there() const noexcept;
  ssize_t note(fault why) noexcept;  ///< keeps the first; returns as recv(2) does: 0 for `closed`, else -1
  bool wait_to_send(deadline until); ///< after a send that failed: false where it is not worth another one

  unique_fd fd_;
  deadline until_ = never;
  std::size_t budget_ = static_cast<std::size_t>(-1);
  std::optional<std::size_t>
    in_time_; // bytes left of those that lay in the socket when the deadline was found to be over
  std::chrono::milliseconds write_time_{0};
  std::size_t buffer_size_ = usual_buffer;
  std::unique_ptr<char[]> buffer_;
  std::string_view unread_;
  bool may_wait_ = true;
  fault fault_ = fault::none;
};

} // namespace mistify::rpc
