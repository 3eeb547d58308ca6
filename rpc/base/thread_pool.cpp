#include "rpc/base/thread_pool.hpp"

#include "rpc/base/thread_name.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

namespace mistify::rpc {

namespace {

using work = std::function<void()>;

constexpr std::chrono::seconds idle_time{10};

/// Where one idle thread waits, under a lock of its own. With one lock for all, a woken thread often found it held by
/// the next poster: five futex calls for each piece of work under load, 95 % of all in the agent. Now three.
class parking_place {
public:
  void give(work w) {
    {
      std::lock_guard lock{mutex_};
      given_ = true;
      work_ = std::move(w);
    }
    came_.notify_one(); // outside the lock, which the woken thread takes first
  }

  /// Returns the work given; null after a time-out.
  std::optional<work> take(std::chrono::seconds longest) {
    std::unique_lock lock{mutex_};
    if (!came_.wait_for(lock, longest, [this] { return given_; }))
      return std::nullopt;
    return take_now();
  }

  work take() {
    std::unique_lock lock{mutex_};
    came_.wait(lock, [this] { return given_; });
    return take_now();
  }

private:
  work take_now() {
    given_ = false;
    return std::exchange(work_, nullptr);
  }

  std::mutex mutex_;
  std::condition_variable came_;
  bool given_ = false;
  work work_;
};

using place_ptr = std::shared_ptr<parking_place>; // the giver may hold the last reference

} // namespace

struct thread_pool::impl {
  impl(const char* named, std::size_t max_threads, std::size_t may_wait, std::size_t stay)
    : name{named}, max{max_threads}, max_waiting{may_wait}, kept{stay} {}

  const char* const name;
  std::size_t max, max_waiting; // guarded by the mutex
  const std::size_t kept;
  mutable std::mutex mutex;
  std::condition_variable ended;
  std::vector<place_ptr> idle; // the last one ran most recently: its memory is still in the caches
  std::deque<work> waiting;    // only while no thread is idle
  bool stopping = false;
  std::unordered_map<std::thread::id, std::thread> threads;
  std::vector<std::thread> finished; // joined by the next caller

  bool post(work w) {
    std::unique_lock lock{mutex};
    join_finished();
    if (stopping)
      return false;
    if (idle.empty())
      return (threads.size() < max && start(w)) || wait(std::move(w));
    const auto place = std::move(idle.back());
    idle.pop_back();
    lock.unlock();
    place->give(std::move(w));
    return true;
  }

  /// Queues the work for the existing threads.
  bool wait(work w) {
    if (waiting.size() >= max_waiting || threads.empty())
      return false;
    waiting.push_back(std::move(w));
    return true;
  }

  /// Returns false and leaves `w` unchanged if the system has no thread left; treated as if all threads were busy.
  bool start(work& w) {
    const auto handed_over = std::make_shared<work>();
    try {
      make_thread(handed_over);
    } catch (const std::system_error&) {
      return false;
    }
    *handed_over = std::move(w); // the thread reads it under the lock
    return true;
  }

  /// Called under the lock. The new thread begins with `first`; without work it becomes idle.
  void make_thread(std::shared_ptr<work> first) {
    idle.reserve(threads.size() + 1); // so that becoming idle cannot fail
    std::thread thread{[this, first = std::move(first)]() mutable {
      name_thread(name);
      run(take(std::move(first)));
    }};
    const auto id = thread.get_id();
    threads.emplace(id, std::move(thread));
  }

  work take(std::shared_ptr<work> from) {
    const std::lock_guard lock{mutex};
    return std::move(*from);
  }

  void start_kept() {
    const std::lock_guard lock{mutex};
    for (std::size_t i = 0; i < kept; ++i)
      make_thread(std::make_shared<work>([] {}));
  }

  void run(work w) {
    const auto place = std::make_shared<parking_place>();
    while (w) {
      w();
      w = nullptr; // releases its captures before the thread counts as idle
      w = next(place);
    }
  }

  /// Waits for more work; null if the thread is to end, which is recorded.
  work next(const place_ptr& place) {
    std::unique_lock lock{mutex};
    if (!waiting.empty()) {
      auto w = std::move(waiting.front());
      waiting.pop_front();
      return w;
    }
    if (stopping)
      return retire();
    idle.push_back(place);
    lock.unlock();
    auto given = place->take(idle_time);
    while (!given) {
      lock.lock();
      const bool off_the_list = std::ranges::find(idle, place) == idle.end();
      if (!off_the_list && threads.size() > kept) {
        std::erase(idle, place);
        return retire();
      }
      lock.unlock();
      if (!off_the_list) {
        given = place->take(idle_time);
        continue;
      }
      given = place->take(); // no longer in the list: work is being given to it
    }
    if (*given)
      return *std::move(given);
    lock.lock();
    return retire();
  }

  /// Called under the lock.
  work retire() {
    auto self = threads.extract(std::this_thread::get_id());
    finished.push_back(std::move(self.mapped()));
    ended.notify_all();
    return nullptr;
  }

  /// These threads have left their last locked section, so joining them under the lock does not block.
  void join_finished() {
    for (auto& thread : finished)
      thread.join();
    finished.clear();
  }

  void stop() {
    std::unique_lock lock{mutex};
    stopping = true;
    for (const auto& place : std::exchange(idle, {}))
      place->give(nullptr);
    ended.wait(lock, [&] { return threads.empty(); });
    join_finished();
  }
};

thread_pool::thread_pool(const char* name, std::size_t max_threads, std::size_t max_waiting, std::size_t kept)
  : impl_{std::make_unique<impl>(name, max_threads, max_waiting, std::min(kept, max_threads))} {
  try {
    impl_->start_kept();
  } catch (...) {
    impl_->stop();
    throw;
  }
}

thread_pool::~thread_pool() {
  stop();
}

bool thread_pool::try_post(std::function<void()> work) {
  return impl_->post(std::move(work));
}

void thread_pool::stop() {
  impl_->stop();
}

void thread_pool::grow(std::size_t max_threads, std::size_t max_waiting) {
  const std::lock_guard lock{impl_->mutex};
  impl_->max = std::max(impl_->max, max_threads);
  impl_->max_waiting = std::max(impl_->max_waiting, max_waiting);
}

std::size_t thread_pool::busy() const {
  std::lock_guard lock{impl_->mutex};
  return impl_->threads.size() - impl_->idle.size();
}

} // namespace mistify::rpc
