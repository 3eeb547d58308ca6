#include "rpc/base/line_writer.hpp"

#include "rpc/base/thread_name.hpp"

#include <atomic>
#include <condition_variable>
#include <csignal>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

namespace mistify::rpc {

namespace {

struct numbered_line {
  std::uint64_t number = 0; // in the order of all queues
  std::string text;
};

struct line_queue {
  explicit line_queue(std::size_t bound) : most{bound} {}

  const std::size_t most;
  std::deque<numbered_line> waiting;
  std::atomic<std::uint64_t> dropped{0};
};

} // namespace

struct line_writer::state {
  state(const std::vector<std::size_t>& bounds, sink to) : queues(bounds.begin(), bounds.end()), write{std::move(to)} {}

  std::mutex mutex;
  std::deque<line_queue> queues;        // of a fixed size
  std::uint64_t added = 0, writing = 0; // numbers; writing: of the line that is being written, 0: none
  std::condition_variable came, went;
  const sink write;

  /// Called under the lock. The queue with the line that came first; their number if no line waits.
  std::size_t next() const {
    auto first = queues.size();
    for (std::size_t i = 0; i < queues.size(); ++i)
      if (!queues[i].waiting.empty() &&
          (first == queues.size() || queues[i].waiting.front().number < queues[first].waiting.front().number))
        first = i;
    return first;
  }

  /// Called under the lock. The number of the first line that is neither written nor dropped.
  std::uint64_t first_left() const {
    if (writing != 0)
      return writing;
    const auto from = next();
    return from < queues.size() ? queues[from].waiting.front().number : added + 1;
  }

  [[noreturn]] void run() {
    for (std::unique_lock lock{mutex};;) {
      came.wait(lock, [this] { return next() < queues.size(); });
      const auto from = next();
      const auto line = std::move(queues[from].waiting.front());
      queues[from].waiting.pop_front();
      writing = line.number;
      lock.unlock();
      write(from, line.text);
      lock.lock();
      writing = 0;
      went.notify_all();
    }
  }
};

line_writer::line_writer(const std::vector<std::size_t>& bounds, sink write)
  : state_{std::make_shared<state>(bounds, std::move(write))} {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  try {
    std::thread{[shared = state_] {
      name_thread("log");
      shared->run();
    }}.detach();
  } catch (...) {
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    throw;
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void line_writer::add(std::size_t queue, std::string line) {
  numbered_line oldest; // freed without the lock
  {
    const std::lock_guard lock{state_->mutex};
    auto& to = state_->queues.at(queue);
    if (to.waiting.size() >= to.most) {
      oldest = std::move(to.waiting.front());
      to.waiting.pop_front();
      ++to.dropped;
    }
    to.waiting.push_back({++state_->added, std::move(line)});
  }
  state_->came.notify_one();
}

bool line_writer::flush(std::chrono::milliseconds longest) {
  std::unique_lock lock{state_->mutex};
  const auto last = state_->added;
  return state_->went.wait_for(lock, longest, [&] { return state_->first_left() > last; });
}

std::uint64_t line_writer::dropped(std::size_t queue) const noexcept {
  return state_->queues[queue].dropped;
}

} // namespace mistify::rpc
