#include "rpc/base/cancellation.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace mistify::rpc {

struct cancellation::guard::shared {
  struct entry {
    std::uint64_t id;
    std::function<void()> action;
  };

  std::mutex mutex;
  std::condition_variable ended;
  bool cancelled = false;
  std::uint64_t last_id = 0;
  std::vector<entry> actions;
  std::uint64_t running = 0; // id of the running action; 0: none
  std::thread::id runner;

  void run_all(std::unique_lock<std::mutex>& lock) {
    while (!actions.empty()) {
      auto next = std::move(actions.back());
      actions.pop_back();
      running = next.id;
      runner = std::this_thread::get_id();
      lock.unlock();
      next.action();
      lock.lock();
      running = 0;
      ended.notify_all();
    }
  }

  void remove(std::uint64_t id) {
    std::unique_lock lock{mutex};
    std::erase_if(actions, [&](const entry& e) { return e.id == id; });
    // An action that destroys its own guard must not wait for itself.
    ended.wait(lock, [&] { return running != id || runner == std::this_thread::get_id(); });
  }
};

cancellation::guard::guard(std::shared_ptr<shared> state, std::uint64_t id) : state_{std::move(state)}, id_{id} {}

cancellation::guard::guard(guard&&) noexcept = default;

cancellation::guard::~guard() {
  if (state_)
    state_->remove(id_);
}

cancellation::cancellation() : state_{std::make_shared<guard::shared>()} {}

void cancellation::cancel() const {
  std::unique_lock lock{state_->mutex};
  // The first caller runs the actions, and may still be running them.
  if (!std::exchange(state_->cancelled, true))
    state_->run_all(lock);
}

bool cancellation::cancelled() const noexcept {
  std::lock_guard lock{state_->mutex};
  return state_->cancelled;
}

cancellation::guard cancellation::on_cancel(std::function<void()> action) const {
  std::unique_lock lock{state_->mutex};
  const auto id = ++state_->last_id;
  if (state_->cancelled) {
    lock.unlock();
    action();
  } else {
    state_->actions.push_back({id, std::move(action)});
  }
  return guard{state_, id};
}

} // namespace mistify::rpc
