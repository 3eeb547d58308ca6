#pragma once

#include "http/server/poller.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace mistify::http {

/// How fast a client has to take what is sent to it.
struct pace_rule {
  std::chrono::milliseconds patience{30'000}; ///< without a byte taken
  std::size_t least_rate = 1024;              ///< bytes a second over each window; 0: no bound
  std::chrono::milliseconds window{30'000};
};

/// Judges a client by what it takes while bytes wait for it. Time in which nothing waits does not count. `taken` is how
/// many bytes the client has acknowledged so far; only differences count. Times are milliseconds of the steady clock.
/// Used by one thread at a time.
class reader_pace {
public:
  explicit reader_pace(const pace_rule& rule) noexcept : rule_{rule} {}

  /// Bytes wait from `now` on, or wait still.
  void waits(tick now, std::uint64_t taken) noexcept;

  /// Nothing waits any more.
  void rests(tick now) noexcept;

  /// Whether the client has to go. Begins a new window where the last one is over and was fast enough, or where the
  /// question comes so late that the process must have been stopped.
  bool too_slow(tick now, std::uint64_t taken) noexcept;

  /// When to ask `too_slow` while bytes wait.
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

/// Bytes that a socket, TCP or unix, holds and the other end has not acknowledged; 0 where the kernel does not say.
std::uint64_t unacknowledged_bytes(int fd) noexcept;

} // namespace mistify::http
