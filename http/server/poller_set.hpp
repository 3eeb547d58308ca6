#pragma once

#include "http/server/poller.hpp"

#include <atomic>
#include <cstddef>
#include <memory>
#include <vector>

namespace mistify::http {

/// The pollers of a server, each with a leader of its own. The first has the listening sockets and the timer; connections
/// go to each in turn, and stay there. Every member is thread-safe.
///
/// Two threads that wait at one poller share its events one by one under a lock, which gains nothing over one thread.
class poller_set {
public:
  explicit poller_set(std::size_t size);

  std::size_t size() const noexcept { return pollers_.size(); }
  poller& at(std::size_t i) { return *pollers_[i]; }
  poller& first() { return at(0); }
  poller& next() { return at(next_.fetch_add(1, std::memory_order_relaxed) % size()); }

  /// Ends every wait at any of them, from now on.
  void quit();

  /// No thread waits any more: what still waits for the answers of others is called.
  void stop_answers();

private:
  std::vector<std::unique_ptr<poller>> pollers_;
  std::atomic<std::size_t> next_{0};
};

} // namespace mistify::http
