#pragma once

#include <chrono>

namespace mistify::rpc {

/// Notices that the process did not run for a while: it was stopped (SIGSTOP), or its machine was. Deadlines move by that
/// time, because answers that came meanwhile could not be read. Belongs to one thread or actor,
/// which looks every `interval`.
class missed_time {
public:
  using clock = std::chrono::steady_clock;

  explicit missed_time(clock::duration interval) : longest_{10 * interval} {}

  /// The thread looks again from now on, after it did not for a good reason.
  void begin(clock::time_point now) noexcept { last_ = now; }

  /// How long the process did not run since the last look. Zero where the look is only a little late, as on a busy host.
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
