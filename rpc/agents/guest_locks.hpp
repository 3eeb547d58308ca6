#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace mistify::agents {

/// A mutex for each guest: calls on one guest are serialised, calls on different guests are not. Thread-safe.
class guest_locks {
public:
  class turn {
  public:
    explicit turn(std::shared_ptr<std::mutex> m) : mutex_{std::move(m)}, lock_{*mutex_} {}
    turn(std::shared_ptr<std::mutex> m, std::try_to_lock_t how) : mutex_{std::move(m)}, lock_{*mutex_, how} {}

    bool is_held() const noexcept { return lock_.owns_lock(); }

  private:
    std::shared_ptr<std::mutex> mutex_; // declared before the lock, so destroyed after it
    std::unique_lock<std::mutex> lock_;
  };

  /// Locks the guest; blocks until it is free.
  turn take(const std::string& id) { return turn{of(id)}; }

  /// Locks the guest if it is free; null if it is not.
  std::optional<turn> try_take(const std::string& id) {
    turn taken{of(id), std::try_to_lock};
    return taken.is_held() ? std::optional{std::move(taken)} : std::nullopt;
  }

private:
  std::shared_ptr<std::mutex> of(const std::string& id) {
    std::lock_guard lock{mutex_};
    std::erase_if(mutexes_, [](const auto& row) { return row.second.expired(); });
    auto& known = mutexes_[id];
    auto mutex = known.lock();
    if (!mutex)
      known = mutex = std::make_shared<std::mutex>();
    return mutex;
  }

  std::mutex mutex_;
  std::map<std::string, std::weak_ptr<std::mutex>> mutexes_;
};

} // namespace mistify::agents
