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

/// The events that were committed last, in memory, for readers of any thread. Only the journal adds to it, after its
/// commit. Who reads along here does not burden the disk; older events are on it.
class event_feed {
public:
  /// How many events are kept here.
  static constexpr std::size_t kept = 1000;

  std::int64_t last() const; ///< id of the newest event; 0 before the first
  epochs_ptr epochs() const; ///< never null

  /// The next ones behind an id, in order, at most so many; nothing where memory does not reach back that far.
  std::optional<std::vector<event_ptr>> after(std::int64_t id, std::size_t most) const;

  /// As long as what is returned lives, `told` is called after each commit that brought events, on the journal's thread:
  /// it must not block. A call that is under way then may still come.
  using listener = std::shared_ptr<const std::function<void()>>;
  [[nodiscard]] listener listen(std::function<void()> told);

  // -- for the journal ---------------------------------------------------------------------------------------------
  void begin_behind(std::int64_t last, epochs_ptr epochs);
  void publish(std::vector<event> news, epochs_ptr changed); ///< null where the epochs are as they were

private:
  std::vector<listener> listeners();

  mutable std::mutex mutex_;
  std::int64_t last_ = 0;
  epochs_ptr epochs_ = std::make_shared<const event_epochs>(std::vector<event_epochs::epoch>{});
  std::deque<event_ptr> tail_;
  std::vector<std::weak_ptr<const std::function<void()>>> listeners_;
};

} // namespace mistify::store
