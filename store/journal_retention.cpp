#include "store/journal_impl.hpp"

#include <algorithm>
#include <limits>

// How long ended jobs and events are kept.
namespace mistify::store {

namespace {

/// The maximum number of jobs over the bound that one step deletes, beside those it ended: a log whose bound was
/// lowered shrinks gradually, and no step takes long.
constexpr std::size_t prune_ahead = 100;

/// No limit in the order of ending.
constexpr auto any_job = std::numeric_limits<std::int64_t>::max();

/// The maximum number of events deleted in one commit: a log whose bound was lowered shrinks gradually.
constexpr std::int64_t most_pruned = 5000;

} // namespace

void journal::impl::prune() {
  if (pending.ended <= 0)
    return;
  const auto total = ended + static_cast<std::size_t>(pending.ended);
  if (total <= settings.keep_jobs)
    return;
  const auto most = static_cast<std::size_t>(pending.ended) + prune_ahead;
  const auto pruned = prune_old(std::min(total - settings.keep_jobs, most));
  const auto left = total - pruned;
  const auto over = left > settings.most_jobs ? jobs.prune(std::min(left - settings.most_jobs, most), any_job) : 0;
  pending.ended -= static_cast<std::ptrdiff_t>(pruned + over);
  if (over > 0)
    pending.first_ended = jobs.first_ended();
}

/// Does not search while the job that ended first is young.
std::size_t journal::impl::prune_old(std::size_t surplus) {
  const auto last_old = ages->last_old(settings.steady());
  if (first_ended > last_old)
    return 0;
  const auto pruned = jobs.prune(surplus, last_old);
  pending.first_ended = jobs.first_ended();
  return pruned;
}

/// Prunes in large steps to be cheap: the log may exceed its bound by a tenth.
void journal::impl::prune_events() {
  if (pending.events.empty())
    return;
  const auto bound = static_cast<std::int64_t>(settings.keep_events);
  const auto wanted = pending.events.back().id - bound + 1;
  if (wanted - oldest_event <= bound / 10)
    return;
  pending.oldest_event = std::min(wanted, oldest_event + most_pruned);
  events.erase_before(*pending.oldest_event);
  epochs.erase_before(*pending.oldest_event);
  pending.epochs = epochs.all();
}

} // namespace mistify::store
