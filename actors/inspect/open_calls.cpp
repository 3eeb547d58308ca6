#include "actors/inspect/open_calls.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace mistify::actors {

open_calls::entry open_calls::begin(std::string service, std::string method, std::string runner, history::time now) {
  std::unique_lock lock{mutex_};
  const auto row = rows_.emplace(std::move(runner), call{std::move(service), std::move(method), now});
  size_.store(rows_.size(), std::memory_order_relaxed);
  lock.unlock();
  return {static_cast<const void*>(this), [this, row](const void*) { end(row); }};
}

void open_calls::end(by_runner::iterator which) {
  const std::lock_guard lock{mutex_};
  rows_.erase(which);
  size_.store(rows_.size(), std::memory_order_relaxed);
}

std::vector<actor_status::call> open_calls::of(const std::string& runner, history::time now) const {
  std::vector<actor_status::call> found;
  const std::lock_guard lock{mutex_};
  const auto [first, last] = rows_.equal_range(runner);
  std::transform(first, last, std::back_inserter(found), [&](const auto& row) {
    return actor_status::call{row.second.service, row.second.method, runner, {}, now - row.second.since};
  });
  return found; // equal keys stand in the order of their insertion
}

} // namespace mistify::actors
