#include "rpc/base/cut_text.hpp"
#include "rpc/model/codec.hpp"
#include "store/admission.hpp"
#include "store/adopted_guest.hpp"
#include "store/guest_merge.hpp"
#include "store/journal_impl.hpp"

#include <algorithm>
#include <utility>

// Steps of jobs: what a stage did to its guest, and where the job goes next.
namespace mistify::store {

namespace {

using rpc::errc;
using rpc::failure;

rpc::stage_outcome outcome_of(rpc::job_code code) {
  switch (code) {
  case rpc::job_code::none: return rpc::stage_outcome::ok;
  case rpc::job_code::timeout: return rpc::stage_outcome::timeout;
  case rpc::job_code::interrupted: return rpc::stage_outcome::interrupted;
  case rpc::job_code::cancelled:
  case rpc::job_code::preempted:
  case rpc::job_code::guest_deleted: return rpc::stage_outcome::cancelled;
  default: return rpc::stage_outcome::error;
  }
}

/// A first call that was interrupted is made once more: the stage begins with that. `before`: the job's last record.
/// One that was answered has a later one.
void begin_anew(job_row& row, const decltype(job_step::next)& next, rpc::timestamp before) {
  const auto* starts = std::get_if<stage_starts>(&next);
  if (!starts || starts->index != row.stage || row.job.stages.empty())
    return;
  auto& stage = row.job.stages.back();
  if (stage.ended == rpc::timestamp{} && stage.started == before)
    stage.started = row.job.updated_at;
}

/// The reason that was stored: the merge may have dropped or cut the one that was returned, and adds none.
std::string reason_of(const stored_guest& merged, const rpc::guest& returned) {
  return returned.state_reason.empty() ? std::string{} : rpc::decode_guest(merged.doc).state_reason;
}

} // namespace

recorded_step journal::record(const job_step& step) {
  return impl_->step([&](pending_changes& staged) {
    auto row = impl_->unfinished(step.job_id);
    if (!row)
      impl_->refuse_step_of(step.job_id);
    if (const auto* end = std::get_if<job_ends>(&step.next); end && !rpc::has_ended(end->status))
      throw failure{errc::internal, "a job ends as complete or error only"};
    begin_anew(*row, step.next, std::exchange(row->job.updated_at, impl_->settings.now()));
    impl_->tell_stage(*row, step, staged);
    impl_->change_guest(*row, step.change, staged);
    if (step.timed_out && !row->job.stages.empty())
      impl_->end_stage(*row, rpc::stage_outcome::timeout);
    else if (!step.skipped_because.empty() && !row->job.stages.empty())
      impl_->end_stage(*row, rpc::stage_outcome::skipped);
    impl_->advance(*row, step.next, staged);
    recorded_step recorded;
    if (step.queues)
      recorded.queued = impl_->queue_behind(row->job, *step.queues, staged);
    recorded.then_began = step.then && impl_->begin_after(row->job, *step.then, staged);
    if (const auto guest = impl_->guest(row->job.guest_id, staged))
      recorded.guest_doc = guest->doc;
    recorded.job = std::move(row->job);
    return recorded;
  });
}

void journal::impl::refuse_step_of(const std::string& job_id) {
  if (jobs.find(job_id))
    throw failure{errc::conflict, "the job has ended"};
  throw failure{errc::not_found, "no such job"};
}

/// Returns false if the job has ended meanwhile: a delete ends the queued jobs.
bool journal::impl::begin_after(const rpc::job& before, const job_start& next, pending_changes& staged) {
  auto row = unfinished(next.job_id);
  if (!row || staged.jobs.contains(next.job_id))
    return false;
  row->job.updated_at = before.updated_at;
  advance(*row, next.stage, staged);
  return true;
}

void journal::impl::change_guest(const job_row& row, const guest_change& change, pending_changes& staged) {
  if (std::holds_alternative<guest_unchanged>(change))
    return;
  if (std::holds_alternative<guest_removed>(change))
    return remove_guest(row, staged);
  auto stored = guest(row.job.guest_id);
  if (!stored)
    return;
  if (auto state = std::get_if<guest_state>(&change)) {
    if (put_guest(with_state(*stored, state->state, state->reason), staged))
      tell_guest(event_type::guest_changed, row.job, state->state, staged, state->reason, stored->facts.state);
    return;
  }
  const auto& returned = std::get<guest_returned>(change);
  auto merged = adopts_guest(row.job.action) ? merge_adopted(ledger, *stored, returned.sent_doc, returned.guest,
                                                             jobs.has_later_wish(row.job.guest_id, row.seq))
                                             : merge_guest(*stored, returned.sent_doc, returned.guest);
  if (creates_guest(row.job.action) && merged->facts.state == "running" &&
      !jobs.has_later_wish(row.job.guest_id, row.seq))
    merged = with_wish(*merged, "on");
  expect_fit(merged->doc.size(), stored->doc.size(), settings.bounds.guest_bytes, errc::sub_agent_failed,
             "the guest that the sub-agent returned");
  if (put_guest(merged, staged))
    tell_guest(event_type::guest_changed, row.job, merged->facts.state, staged, reason_of(*merged, returned.guest),
               stored->facts.state);
}

/// Returns false, and writes nothing, if the document is unchanged.
bool journal::impl::put_guest(guest_ptr guest, pending_changes& staged) {
  if (const auto before = this->guest(guest->id); before && before->doc == guest->doc)
    return false;
  guests.replace(*guest);
  staged.guests[guest->id] = std::move(guest);
  return true;
}

void journal::impl::remove_guest(const job_row& row, pending_changes& staged) {
  const auto labels = labels_of(row.job.guest_id, staged);
  jobs.keep_last_labels(row, labels ? *labels : rpc::metadata_map{});
  guests.erase(row.job.guest_id);
  staged.guests[row.job.guest_id] = nullptr;
  drop_boot_start(row.job.guest_id, staged);
  tell_guest(event_type::guest_deleted, row.job, {}, staged);
  for (auto& other : jobs.end_others(row, next_ended++, "guest deleted")) {
    ++staged.ended;
    staged.jobs[other.id] = std::nullopt;
    other.updated_at = row.job.updated_at;
    staged.reserved[other.id] = std::nullopt;
    tell_end(other, staged);
  }
}

void journal::impl::advance(job_row& row, const next_step& next, pending_changes& staged) {
  if (auto end = std::get_if<job_ends>(&next))
    return end_job(row, *end, staged);
  row.job.message.clear(); // it was about the previous stage
  row.job.progress.reset();
  if (auto stage = std::get_if<stage_starts>(&next)) {
    if (start(row, *stage))
      tell(event_of(event_type::job_started, row.job), staged);
  } else {
    const auto& pause = std::get<stage_paused>(next);
    if (pause.index > row.stage)
      end_stage(row, rpc::stage_outcome::ok);
    row.stage = pause.index; // the status is unchanged
    row.detour = pause.detour;
    row.stage_name.clear();
  }
  jobs.update(row);
  staged.jobs[row.job.id] = row;
}

/// Returns true if this is the job's first stage.
bool journal::impl::start(job_row& row, const stage_starts& stage) {
  const bool is_new =
    row.job.stages.empty() || stage.index > row.stage || row.job.stages.back().ended != rpc::timestamp{};
  if (is_new) {
    end_stage(row, rpc::stage_outcome::ok);
    row.job.stages.push_back({stage.service, stage.name, row.job.updated_at});
    row.job.stage_count = std::max(stage.of, row.job.stages.size());
  }
  row.stage = stage.index;
  row.stage_name = stage.name;
  row.due = stage.due;
  row.detour = stage.detour;
  row.job.status = rpc::job_status::running;
  const bool begins = row.job.started_at == rpc::timestamp{};
  if (begins)
    row.job.started_at = row.job.updated_at;
  return begins;
}

/// Does nothing if no stage runs.
void journal::impl::end_stage(job_row& row, rpc::stage_outcome how) {
  if (row.job.stages.empty() || row.job.stages.back().ended != rpc::timestamp{})
    return;
  row.job.stages.back().ended = row.job.updated_at;
  row.job.stages.back().outcome = how;
}

void journal::impl::end_job(job_row& row, const job_ends& end, pending_changes& staged) {
  row.job.status = end.status;
  const bool failed = end.status == rpc::job_status::error;
  row.job.code = !failed ? rpc::job_code::none : end.code == rpc::job_code::none ? rpc::job_code::failed : end.code;
  end_stage(row, outcome_of(row.job.code));
  row.job.progress.reset();
  if (end.status == rpc::job_status::complete && row.job.started_at == rpc::timestamp{}) // the job has no stages
    row.job.started_at = row.job.updated_at;
  row.job.message = rpc::cut_text(end.message, settings.bounds.message_bytes);
  row.ended = next_ended++;
  jobs.end(row);
  staged.jobs[row.job.id] = std::nullopt;
  ++staged.ended;
  if (starts_guest(row.job.action))
    staged.starts.emplace_back(row.job.guest_id, -1);
  if (is_start(row.job.action) && row.job.code != rpc::job_code::interrupted)
    drop_boot_start(row.job.guest_id, staged);
  staged.reserved[row.job.id] = std::nullopt;
  tell_end(row.job, staged);
}

} // namespace mistify::store
