#pragma once

#include <chrono>

namespace mistify::rpc {

/// Detects that the process did not run for a while: it was stopped (SIGSTOP), or its machine was. Deadlines are
/// extended by that time, because answers could not be read meanwhile. Not thread-safe: `look` is called
/// every `interval`.
class missed_time {
public:
  using clock = std::chrono::steady_clock;

  explicit missed_time(clock::duration interval) : longest_{10 * interval} {}

  /// Restarts the measurement after the thread deliberately paused its looks.
  void begin(clock::time_point now) noexcept { last_ = now; }

  /// Returns for how long the process did not run since the last look; zero if the look is only slightly late, as on
  /// a busy host.
  clock::duration look(clock::time_point now) noexcept {
    const auto passed = now - last_;
    last_ = now;
    return passed > longest_ ? passed : clock::duration{0};
  }

private:
  clock::duration longest_;
  clock::time_point last_{};
};

} // namespace mistify::rpc
