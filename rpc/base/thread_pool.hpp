#pragma once

#include <cstddef>
#include <functional>
#include <memory>

namespace mistify::rpc {

/// Threads for blocking work: calls to sub-agents, downloads. Work starts a new thread if none is idle, up to a
/// bound; a thread ends after ten idle seconds. Every member is thread-safe.
class thread_pool {
public:
  /// `name` is that of the threads, a literal. At most `max_threads` pieces of work run at a time; at most `max_waiting`
  /// more wait. The first `kept` threads are created at once and do not end while the pool lives, so that work proceeds
  /// even if the system has no thread left. Throws `std::system_error` if they cannot be created.
  thread_pool(const char* name, std::size_t max_threads, std::size_t max_waiting = 0, std::size_t kept = 0);

  /// Waits until all work has returned.
  ~thread_pool();

  /// Runs `work` on a thread of the pool. Returns false and does nothing if all threads are busy and the queue is
  /// full, or if the pool is stopping. `work` must not throw.
  [[nodiscard]] bool try_post(std::function<void()> work);

  /// Refuses new work and waits for running and queued work.
  void stop();

  /// From now on at least so many pieces of work may run at a time and wait: bounds only grow.
  void grow(std::size_t max_threads, std::size_t max_waiting);

  std::size_t busy() const;

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace mistify::rpc
