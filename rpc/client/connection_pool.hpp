#pragma once

#include "rpc/net/socket_stream.hpp"

#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace mistify::rpc {

/// A connection to a sub-agent: cpp-httplib's client engine on a stream of ours. Belongs to one thread at a time.
struct connection : private httplib::ClientImpl {
  connection(const std::string& host, std::uint16_t port, unique_fd fd);

  using httplib::ClientImpl::process_request;
  socket_stream stream;
};

/// The connections that wait for their next exchange. Thread-safe.
class connection_pool {
public:
  /// The connection that was used last, if it is fresh and sound; else nothing.
  std::unique_ptr<connection> take();
  void keep(std::unique_ptr<connection> used);

private:
  using clock = std::chrono::steady_clock;
  struct kept {
    clock::time_point since;
    std::unique_ptr<connection> link;
  };

  /// Moves the stale ones out, to be closed outside the lock.
  std::vector<kept> take_stale();

  std::mutex mutex_;
  std::vector<kept> kept_; // in the order they were kept: the freshest is the last
};

} // namespace mistify::rpc
