#pragma once

#include "actors/inspect/history.hpp"
#include "actors/inspect/status.hpp"

#include <atomic>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace mistify::actors {

/// The calls of sub-agents that are out past the runners, for people who look inside. Thread-safe; outlives its entries.
class open_calls {
public:
  /// A call is out until the last copy of its entry is destroyed, on any thread.
  using entry = std::shared_ptr<const void>;
  [[nodiscard]] entry begin(std::string service, std::string method, std::string runner, history::time now);

  bool empty() const noexcept { return size_.load(std::memory_order_relaxed) == 0; }

  /// Those of a runner, oldest first.
  std::vector<actor_status::call> of(const std::string& runner, history::time now) const;

private:
  struct call {
    std::string service, method;
    history::time since;
  };
  using by_runner = std::multimap<std::string, call>;

  void end(by_runner::iterator which);

  mutable std::mutex mutex_; // guards `rows_`
  by_runner rows_;
  std::atomic<std::size_t> size_{0};
};

} // namespace mistify::actors
