#pragma once

#include "rpc/base/unique_fd.hpp"
#include "rpc/net/tcp.hpp"

#include <atomic>
#include <mutex>

namespace mistify::rpc {

/// A timer for an epoll set, which rings at the earliest of the times that it was asked for. One that rings too early is
/// not set back: those who ask for later and later times set it once in a while, not each. Thread-safe.
class timer {
public:
  timer(); ///< throws `failure{unavailable}`

  int fd() const noexcept { return timer_.get(); } ///< readable when it rings

  void at_latest(deadline when);
  void rang(); ///< to be called first when it has; times asked for from here on count again

private:
  unique_fd timer_;
  std::mutex mutex_;
  std::atomic<deadline> rings_{never};
};

} // namespace mistify::rpc
