#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace mistify::client {

/// Calls `late` on a thread of its own if `finish` is not called within `limit`. cpp-httplib's time-outs count from byte
/// to byte only, so that an answer that trickles would never end.
class stopwatch {
public:
  using clock = std::chrono::steady_clock;

  stopwatch(std::chrono::milliseconds limit, std::function<void()> late);
  ~stopwatch() { finish(); }
  stopwatch(const stopwatch&) = delete;
  stopwatch& operator=(const stopwatch&) = delete;

  /// Ends the watch. Returns true if it was late.
  bool finish();
  clock::duration elapsed() const noexcept { return clock::now() - begin_; }

private:
  void watch(const std::function<void()>& late);

  const clock::time_point begin_, until_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool done_ = false, late_ = false;
  std::thread thread_;
};

} // namespace mistify::client
