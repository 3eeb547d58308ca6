#pragma once

#include "store/event_epochs.hpp"
#include "store/events.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace mistify::store {

/// The latest committed events, in memory, for readers on any thread. Only the journal adds to it, after its commit.
/// Readers of these events cause no disk reads; older events are in the database.
class event_feed {
public:
  /// Number of events kept in memory, beside those of the last commit, which are all kept: a listener that reads at each
  /// call misses none.
  static constexpr std::size_t kept = 1000;

  std::int64_t last() const; ///< id of the newest event; 0 before the first
  epochs_ptr epochs() const; ///< never null

  /// Returns up to `most` events after an id, in order; null if memory does not reach back that far.
  std::optional<std::vector<event_ptr>> after(std::int64_t id, std::size_t most) const;

  /// `told` is called after each commit with events, while the returned listener lives. It runs on the journal's
  /// thread and must not block. A call that is under way may still finish after the listener is destroyed.
  using listener = std::shared_ptr<const std::function<void()>>;
  [[nodiscard]] listener listen(std::function<void()> told);

  // -- for the journal ---------------------------------------------------------------------------------------------
  void begin_behind(std::int64_t last, epochs_ptr epochs);
  void publish(std::vector<event> news, epochs_ptr changed); ///< null if the epochs are unchanged

private:
  std::vector<listener> listeners();

  mutable std::mutex mutex_;
  std::int64_t last_ = 0;
  epochs_ptr epochs_ = std::make_shared<const event_epochs>(std::vector<event_epochs::epoch>{});
  std::deque<event_ptr> tail_;
  std::vector<std::weak_ptr<const std::function<void()>>> listeners_;
};

} // namespace mistify::store
