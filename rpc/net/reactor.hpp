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

/// Waits for many sockets: on a thread of its own, or at the epoll set of threads that wait for other things too. Every
/// member is thread-safe.
class reactor {
public:
  reactor(); ///< with a thread of its own
  /// Has its sockets in `set`, which outlives it. A thread that waits there calls `run_ready` with the events for which
  /// `is_mine` is true.
  explicit reactor(int set);
  ~reactor(); ///< as `stop`
  reactor(const reactor&) = delete;
  reactor& operator=(const reactor&) = delete;

  /// Calls `then` once, on the thread that drives: when `fd` has bytes to read, has come to its end, or the time is over.
  /// `fd` stays open until then, and nobody else waits for it; `then` must not block. False, and nothing happens, where
  /// the kernel refuses or the reactor has stopped.
  [[nodiscard]] bool when_readable(int fd, deadline until, std::function<void()> then);

  /// Calls every waiting `then` and ends the thread. No thread may drive it meanwhile.
  void stop();

  /// True for events of a reactor. The data of others at the same set are below 2^63.
  static bool is_mine(const epoll_event& event) noexcept;
  /// Calls every `then` whose socket is ready or whose time is over by these events, without waiting.
  void run_ready(std::span<const epoll_event> events);

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
  void watch_own(int fd, std::uint32_t events, number which) const;
  bool watch(int operation, int fd, std::uint32_t events, number which) const noexcept;
  bool forget(number which);
  void take(number which, ready& into);
  void take_late(ready& into);

  unique_fd own_set_, quit_; // none where it shares a set
  const int set_;
  timer alarm_;
  std::mutex mutex_; // guards the following members
  std::unordered_map<number, waiting> waiting_;
  std::set<std::pair<deadline, number>> ends_; // of those that wait, without those that have none
  number given_ = 0;                           // so many numbers
  std::atomic<bool> stopping_{false};
  std::thread thread_; // last: it uses the others
};

} // namespace mistify::rpc
