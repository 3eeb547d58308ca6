#pragma once

#include "rpc/base/unique_fd.hpp"
#include "rpc/net/tcp.hpp"
#include "rpc/net/timer.hpp"

#include <cstdint>
#include <functional>
#include <mutex>
#include <set>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

namespace mistify::rpc {

/// One thread that waits for many sockets. Every member is thread-safe.
class reactor {
public:
  reactor();
  ~reactor(); ///< as `stop`
  reactor(const reactor&) = delete;
  reactor& operator=(const reactor&) = delete;

  /// Calls `then` once, on the reactor's thread: when `fd` has bytes to read, has come to its end, or the time is over.
  /// `fd` stays open until then, and nobody else waits for it; `then` must not block. False, and nothing happens, where
  /// the kernel refuses or the reactor has stopped.
  [[nodiscard]] bool when_readable(int fd, deadline until, std::function<void()> then);

  /// Calls everything that still waits, and ends the thread.
  void stop();

private:
  using number = std::uint64_t;
  struct waiting {
    deadline until;
    std::function<void()> then;
  };
  using ready = std::vector<std::function<void()>>;

  void run();
  void take(number which, ready& into);
  void take_late(ready& into);

  unique_fd epoll_, quit_;
  timer alarm_;
  std::mutex mutex_;
  std::unordered_map<number, waiting> waiting_;
  std::set<std::pair<deadline, number>> ends_; // of those that wait, without those that have none
  number last_;
  bool stopping_ = false;
  std::thread thread_; // last: it uses the others
};

} // namespace mistify::rpc
