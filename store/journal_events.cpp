#include "rpc/base/cut_text.hpp"
#include "rpc/model/codec.hpp"
#include "rpc/model/power.hpp"
#include "store/journal_impl.hpp"

#include <utility>

// Records the events of each step, in the transaction of the step.
namespace mistify::store {

namespace {

using next_step = decltype(job_step::next);

/// Returns the stage at which the job continues; null if it has ended.
std::optional<std::size_t> stage_after(const next_step& next) {
  if (const auto* starts = std::get_if<stage_starts>(&next))
    return starts->index;
  if (const auto* waits = std::get_if<stage_paused>(&next))
    return waits->index;
  return std::nullopt;
}

power_turn turn_from(std::string_view before, std::string_view after) {
  if (before.empty() || before == after)
    return power_turn::none;
  if (rpc::is_off(after))
    return rpc::is_off(before) ? power_turn::none : power_turn::went_off;
  return after == "running" ? power_turn::came_on : power_turn::none;
}

bool completes(const next_step& next) {
  const auto* ends = std::get_if<job_ends>(&next);
  return ends && ends->status == rpc::job_status::complete;
}

} // namespace

/// Of a guest that this step deletes: those that it had before.
std::shared_ptr<const rpc::metadata_map> journal::impl::labels_of(std::string_view guest_id,
                                                                  const pending_changes& staged) const {
  auto of = guest(guest_id, staged);
  if (!of)
    of = guest(guest_id);
  return of && !of->facts.labels.empty() ? std::make_shared<const rpc::metadata_map>(of->facts.labels) : nullptr;
}

void journal::impl::tell(event what, pending_changes& staged) {
  rpc::shorten_text(what.text, settings.bounds.message_bytes);
  what.labels = labels_of(what.guest, staged);
  staged.events.push_back(std::move(what));
}

void journal::impl::tell_guest(event_type type, const rpc::job& by, std::string state, pending_changes& staged,
                               std::string reason, std::string_view before) {
  auto what = event_of(type, by);
  what.number = static_cast<std::int64_t>(turn_from(before, state));
  what.text = std::move(state);
  what.reason = std::move(reason);
  tell(std::move(what), staged);
}

void journal::impl::tell_change(const rpc::guest& after, std::string_view before, pending_changes& staged) {
  event what;
  what.at = settings.now();
  what.type = event_type::guest_changed;
  what.guest = after.id;
  what.number = static_cast<std::int64_t>(turn_from(before, after.state));
  what.text = after.state;
  what.reason = after.state_reason;
  tell(std::move(what), staged);
}

/// The stage in flight is finished if the job continues after it. A stage that runs again is not finished, and a
/// failed one is reported by the job's end.
void journal::impl::tell_stage(const job_row& row, const job_step& step, pending_changes& staged) {
  const auto next = stage_after(step.next);
  const bool over = !row.stage_name.empty() && (next ? *next > row.stage : completes(step.next));
  if (!over)
    return;
  const bool well = step.skipped_because.empty();
  auto what = event_of(well ? event_type::job_stage_done : event_type::job_stage_skipped, row.job);
  what.number = static_cast<std::int64_t>(row.stage);
  what.text = well ? row.stage_name : step.skipped_because;
  tell(std::move(what), staged);
}

void journal::impl::tell_end(const rpc::job& job, pending_changes& staged) {
  auto what = event_of(event_type::job_ended, job);
  what.number = static_cast<std::int64_t>(job.status);
  what.text = job.message;
  what.reason = rpc::to_string(job.code);
  tell(std::move(what), staged);
}

void journal::impl::write_events() {
  if (!pending.events.empty() && !epoch_begun) {
    epochs.begin_behind(last_event);
    pending.epochs = epochs.all();
  }
  auto id = last_event;
  for (auto& one : pending.events)
    one.id = ++id;
  events.append(pending.events);
}

} // namespace mistify::store
