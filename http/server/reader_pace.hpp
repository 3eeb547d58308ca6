#pragma once

#include "http/server/poller.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace mistify::http {

/// The minimum pace at which a client must read.
struct pace_rule {
  std::chrono::milliseconds patience{30'000}; ///< longest time without a byte read
  std::size_t least_rate = 1024;              ///< bytes a second in each window; 0: no bound
  std::chrono::milliseconds window{30'000};
};

/// Measures a client's reading pace while bytes wait for it. Time without waiting bytes does not count. `taken` is
/// the number of bytes acknowledged by the client; only differences count. Times are milliseconds of the steady
/// clock. Used by one thread at a time.
class reader_pace {
public:
  explicit reader_pace(const pace_rule& rule) noexcept : rule_{rule} {}

  /// Bytes wait from `now` on, or still wait.
  void waits(tick now, std::uint64_t taken) noexcept;

  /// No bytes wait.
  void rests(tick now) noexcept;

  /// True if the client is too slow. Begins a new window after one that was fast enough, or if the call is so late
  /// that the process must have been stopped.
  bool too_slow(tick now, std::uint64_t taken) noexcept;

  /// Returns when to call `too_slow` next while bytes wait.
  tick look_at() const noexcept;

private:
  void begin_window(tick now, std::uint64_t taken) noexcept;
  void judge_anew(tick now, std::uint64_t taken) noexcept;
  void note(tick now, std::uint64_t taken) noexcept;

  pace_rule rule_;
  bool begun_ = false, waiting_ = false;
  tick window_begin_ = 0, moved_at_ = 0, rested_at_ = 0;
  std::uint64_t window_taken_ = 0, moved_ = 0;
};

/// Returns the bytes of a TCP or unix socket that the other end has not acknowledged; 0 if unknown.
std::uint64_t unacknowledged_bytes(int fd) noexcept;

/// Has the kernel ask whether the other end of a silent TCP connection is still there. A socket whose other end has not
/// answered for about `patience` fails. Nothing for other sockets.
void expect_answers(int fd, std::chrono::milliseconds patience) noexcept;

} // namespace mistify::http
