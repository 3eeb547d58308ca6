#include "http/client/stopwatch.hpp"

#include <utility>

namespace mistify::client {

stopwatch::stopwatch(std::chrono::milliseconds limit, std::function<void()> late)
  : begin_{clock::now()}, until_{begin_ + limit}, thread_{[this, late = std::move(late)] { watch(late); }} {}

void stopwatch::watch(const std::function<void()>& late) {
  constexpr std::chrono::milliseconds again{100};
  std::unique_lock lock{mutex_};
  if (changed_.wait_until(lock, until_, [this] { return done_; }))
    return;
  late_ = true;
  // Once may be too early: between two attempts of the library there is no socket to close.
  while (!done_) {
    lock.unlock();
    late();
    lock.lock();
    changed_.wait_for(lock, again, [this] { return done_; });
  }
}

bool stopwatch::finish() {
  {
    const std::lock_guard lock{mutex_};
    done_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable())
    thread_.join();
  return late_;
}

} // namespace mistify::client
