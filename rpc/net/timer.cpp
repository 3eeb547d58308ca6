#include "rpc/net/timer.hpp"

#include "rpc/base/error.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <sys/timerfd.h>
#include <system_error>
#include <unistd.h>

namespace mistify::rpc {

timer::timer() : timer_{::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)} {
  if (!timer_)
    throw failure{errc::unavailable, "cannot make a timer: " + std::generic_category().message(errno)};
}

void timer::at_latest(deadline when) {
  if (when >= rings_.load()) // the usual case: it is set to an earlier time
    return;
  const std::lock_guard lock{mutex_};
  if (when >= rings_.load())
    return;
  rings_.store(when);
  const auto since = std::max(when.time_since_epoch(), deadline::duration{1}); // 0 would switch it off
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(since);
  itimerspec at{};
  at.it_value.tv_sec = seconds.count();
  at.it_value.tv_nsec = std::chrono::nanoseconds{since - seconds}.count();
  ::timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &at, nullptr);
}

void timer::rang() {
  std::uint64_t times = 0;
  [[maybe_unused]] const auto n = ::read(timer_.get(), &times, sizeof times);
  rings_.store(never);
}

} // namespace mistify::rpc
