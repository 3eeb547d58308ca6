#pragma once

#include "rpc/net/socket_stream.hpp"

#include <chrono>
#include <memory>
#include <mutex>
#include <vector>

namespace mistify::rpc {

/// The connections that wait for their next exchange. Thread-safe.
class connection_pool {
public:
  /// Returns the connection that was used last, if it is fresh and sound; else null.
  std::unique_ptr<socket_stream> take();
  void keep(std::unique_ptr<socket_stream> used);

private:
  using clock = std::chrono::steady_clock;
  struct kept {
    clock::time_point since;
    std::unique_ptr<socket_stream> link;
  };

  /// The one that was kept last, if it is fresh; else null.
  std::unique_ptr<socket_stream> take_freshest();
  /// Moves the stale ones out, to be closed outside the lock.
  std::vector<kept> take_stale();

  std::mutex mutex_;
  std::vector<kept> kept_; // in the order they were kept: the freshest is the last
};

} // namespace mistify::rpc
