#pragma once

#include <cstddef>
#include <functional>
#include <memory>

namespace mistify::rpc {

/// Threads for work that blocks: calls to sub-agents, downloads. A thread is started when work arrives and none is
/// idle, up to a bound, and ends after ten idle seconds. Every member is thread-safe.
class thread_pool {
public:
  /// At most `max_threads` pieces of work run at a time; `max_waiting` more may wait for one of them to return.
  /// `kept` of the threads are made at once and never end by themselves, so that work is done even where the system has
  /// no thread to give. Throws `std::system_error` where it has none now.
  explicit thread_pool(std::size_t max_threads, std::size_t max_waiting = 0, std::size_t kept = 0);

  /// Waits until all work has returned.
  ~thread_pool();

  /// Runs `work` on a thread of the pool; false, and nothing happens, when all threads are busy and no more may wait, or
  /// the pool is stopping. `work` must not throw.
  [[nodiscard]] bool try_post(std::function<void()> work);

  /// Refuses new work and waits for what runs or has been taken.
  void stop();

  std::size_t busy() const;

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace mistify::rpc
