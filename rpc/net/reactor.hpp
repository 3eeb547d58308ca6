#pragma once

#include "rpc/base/unique_fd.hpp"
#include "rpc/net/tcp.hpp"
#include "rpc/net/timer.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <set>
#include <span>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

struct epoll_event;

namespace mistify::rpc {

/// Waits for many sockets: on a thread of its own, or driven by a thread that waits for other things too. Every member is
/// thread-safe.
class reactor {
public:
  enum class driver : std::uint8_t { own_thread, caller };
  explicit reactor(driver by = driver::own_thread);
  ~reactor(); ///< as `stop`
  reactor(const reactor&) = delete;
  reactor& operator=(const reactor&) = delete;

  /// Calls `then` once, on the thread that drives: when `fd` has bytes to read, has come to its end, or the time is over.
  /// `fd` stays open until then, and nobody else waits for it; `then` must not block. False, and nothing happens, where
  /// the kernel refuses or the reactor has stopped.
  [[nodiscard]] bool when_readable(int fd, deadline until, std::function<void()> then);

  /// Calls every waiting `then` and ends the thread. No thread may drive it meanwhile.
  void stop();

  /// For the thread that drives it: `fd` is readable while a socket is ready or a time is over; then `run_ready` calls the
  /// next `then`, without waiting.
  int fd() const noexcept { return epoll_.get(); }
  void run_ready();

  /// Returns the reactor that this thread drives beside its other work; null if there is none, and on a reactor's own thread.
  static reactor* of_this_thread() noexcept;

  /// Says which one this thread drives, and returns which one it did; null: none. It outlives the thread.
  static reactor* drive_on_this_thread(reactor* which) noexcept;

  /// True on the threads of reactors and on those that drive one.
  static bool waits_on_this_thread() noexcept;

private:
  using number = std::uint64_t;
  struct waiting {
    deadline until;
    std::function<void()> then;
  };
  using ready = std::vector<std::function<void()>>;

  void run();
  void run_once(std::span<epoll_event> events, int timeout);
  bool forget(number which);
  void take(number which, ready& into);
  void take_late(ready& into);

  unique_fd epoll_, quit_;
  timer alarm_;
  std::mutex mutex_; // guards the following members
  std::unordered_map<number, waiting> waiting_;
  std::set<std::pair<deadline, number>> ends_; // of those that wait, without those that have none
  number last_;
  std::atomic<bool> stopping_{false};
  std::thread thread_; // last: it uses the others
};

} // namespace mistify::rpc
