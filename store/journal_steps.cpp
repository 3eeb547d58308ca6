#include "rpc/base/cut_text.hpp"
#include "rpc/model/codec.hpp"
#include "store/admission.hpp"
#include "store/adopted_guest.hpp"
#include "store/guest_merge.hpp"
#include "store/journal_impl.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace mistify::store {

namespace {

using rpc::errc;
using rpc::failure;

/// The guest id of jobs that belong to no guest; see the contract, section 3.
constexpr std::string_view agent_id = "agent";

/// The maximum number of jobs over the bound that one step deletes, beside those it ended: a log whose bound was
/// lowered shrinks gradually, and no step takes long.
constexpr std::size_t prune_ahead = 100;

/// No limit in the order of ending.
constexpr auto any_job = std::numeric_limits<std::int64_t>::max();

bool creates_guest(std::string_view action) {
  return action == "create" || action == "containerCreate";
}

/// True for actions that delete the guest's record.
bool removes_guest(std::string_view action) {
  return action == "delete" || action == "containerDelete";
}

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

/// A replacement may exceed the bound if it is not larger than `before`: a lowered bound must not make existing data
/// immutable.
void expect_fit(std::size_t size, std::size_t before, std::size_t most, errc code, const std::string& what) {
  if (size > most && size > before)
    throw failure{code,
                  what + " has " + std::to_string(size) + " bytes, at most " + std::to_string(most) + " are kept"};
}

} // namespace

// -- queueing ------------------------------------------------------------------------------------------------------

queued_job journal::add_job(const new_job& job) {
  return impl_->step([&](pending_changes& staged) {
    if (auto first = impl_->keys.answer(job))
      return *std::move(first);
    auto guest = impl_->guest(job.guest_id);
    if (!guest && job.guest_id != agent_id)
      throw failure{errc::not_found, "no such guest"};
    if (guest)
      impl_->expect_match(*guest, job.if_match);
    if (guest && removes_guest(job.action))
      if (const auto first = impl_->jobs.find_delete(guest->id))
        return impl_->join_delete(*first, job, guest->doc, staged);
    if (guest) {
      impl_->expect_due(*guest, job.own);
      impl_->admit_job(*guest, job);
      impl_->admit_change(*guest, job, staged);
    }
    auto ended = job.preempts ? impl_->preempt(job, any_job, staged) : std::vector<rpc::job>{};
    impl_->wish(job, staged);
    if (const auto changed = staged.guests.find(job.guest_id); changed != staged.guests.end())
      guest = changed->second;
    if (guest)
      guest = impl_->apply_wish(guest, job, staged);
    auto queued = impl_->queue(impl_->row_of(job, job.guest_id), job, guest ? guest->doc : std::string{}, staged);
    queued.preempted = std::move(ended);
    return queued;
  });
}

queued_job journal::add_guest(const rpc::guest& guest, const new_job& job) {
  return impl_->step([&](pending_changes& staged) {
    if (auto first = impl_->keys.answer(job))
      return *std::move(first);
    if (const auto there = impl_->guest(guest.id)) {
      if (impl_->jobs.find_delete(guest.id))
        throw failure{errc::conflict, "the guest is being deleted"};
      if (adopts_guest(job.action)) // a repetition has an idempotency key
        throw failure{errc::conflict, "guest ID exists already"};
      if (auto once_more = impl_->create_again(*there, job, staged))
        return *std::move(once_more);
      auto create = impl_->guests.find_create(guest.id);
      if (!create || create->digest != job.request_digest)
        throw failure{errc::conflict, "guest ID exists already"};
      if (const auto row = impl_->jobs.find(create->answer.job.id))
        impl_->keys.keep_if_first(job, row->seq, create->answer.guest_doc);
      return std::move(create->answer);
    }
    const auto& bounds = impl_->settings.bounds;
    auto stored = to_stored(guest);
    expect_fit(stored->doc.size(), 0, bounds.guest_bytes, errc::too_large, "the guest");
    if (impl_->count_guests() >= bounds.guests)
      throw failure{errc::queue_full, "there are " + std::to_string(bounds.guests) + " guests, which is the most"};
    if (adopts_guest(job.action))
      expect_unique(impl_->ledger, stored->facts, guest.id);
    else
      impl_->admit_create(*stored);
    auto row = impl_->row_of(job, guest.id);
    impl_->guests.insert(*stored, row.job, job.request_digest);
    impl_->tell_guest(event_type::guest_created, row.job, guest.state, staged);
    staged.guests[guest.id] = stored;
    return impl_->queue(std::move(row), job, stored->doc, staged);
  });
}

/// A guest has at most one unfinished delete; further requests get the same job.
queued_job journal::impl::join_delete(const job_row& first, const new_job& job, std::string guest_doc,
                                      pending_changes& staged) {
  if (job.raises)
    jobs.replace_request(first, job.request);
  auto stopped = job.preempts ? preempt(job, first.seq, staged) : std::vector<rpc::job>{};
  keys.keep_if_first(job, first.seq, guest_doc);
  queued_job joined{first.job, std::move(guest_doc)};
  joined.repeated = true;
  joined.preempted = std::move(stopped);
  return joined;
}

job_row journal::impl::row_of(const new_job& job, std::string guest_id) const {
  job_row row;
  row.job.id = job.id;
  row.job.guest_id = std::move(guest_id);
  row.job.action = job.action;
  row.job.queued_at = row.job.updated_at = settings.now();
  row.job.request_id = job.request_id;
  row.job.user = job.user;
  return row;
}

queued_job journal::impl::queue(job_row row, const new_job& job, std::string guest_doc, pending_changes& staged) {
  queued_job queued{row.job, std::move(guest_doc)};
  if (job.begins)
    start(row, *job.begins);
  jobs.insert(row, job.request, job.request_id);
  queued.seq = row.seq;
  keys.keep(job, row.seq, queued.guest_doc);
  if (job.audit) {
    auto what = *job.audit;
    what.guest = row.job.guest_id == agent_id ? std::string{} : row.job.guest_id;
    what.job = row.job.id;
    what.action = row.job.action;
    note(std::move(what));
  }
  auto news = event_of(event_type::job_queued, row.job);
  news.text = row.job.user;
  news.number = static_cast<std::int64_t>(job.own);
  tell(std::move(news), staged);
  if (job.begins)
    tell(event_of(event_type::job_started, row.job), staged);
  if (job.at_once) {
    end_job(row, {}, staged);
    queued.job = row.job;
    queued.ended = true;
    return queued;
  }
  if (starts_guest(row.job.action))
    staged.starts.emplace_back(row.job.guest_id, 1);
  staged.jobs[job.id] = std::move(row);
  return queued;
}

// -- a job's next step ---------------------------------------------------------------------------------------------

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

// -- audit ---------------------------------------------------------------------------------------------------------

void journal::impl::note(audit_entry what) {
  what.at = settings.now();
  audits.append(what);
}

void journal::note(audit_entry what) {
  impl_->step([&](pending_changes&) {
    impl_->note(std::move(what));
    return true;
  });
}

// -- is it writable ------------------------------------------------------------------------------------------------

/// SQLite writes a page for this pragma even if its value does not change.
void journal::probe() {
  impl_->step([&](pending_changes&) {
    const auto version = impl_->file.db().integer("PRAGMA user_version");
    impl_->file.db().execute(("PRAGMA user_version = " + std::to_string(version)).c_str());
    return version;
  });
}

// -- metadata ------------------------------------------------------------------------------------------------------

rpc::metadata_map journal::patch_guest_metadata(std::string_view guest_id, const rpc::metadata_patch& patch,
                                                std::string_view if_match) {
  return impl_->step([&](pending_changes& staged) {
    auto stored = impl_->guest(guest_id);
    if (!stored)
      throw failure{errc::not_found, "no such guest"};
    impl_->expect_match(*stored, if_match);
    auto guest = rpc::decode_guest(stored->doc);
    auto before = guest.metadata;
    rpc::apply(guest.metadata, patch);
    auto changed = to_stored(guest);
    expect_fit(changed->doc.size(), stored->doc.size(), impl_->settings.bounds.guest_bytes, errc::too_large,
               "the guest with this metadata");
    if (guest.metadata != before && impl_->put_guest(std::move(changed), staged))
      impl_->tell_change(guest, guest.state, staged);
    return guest.metadata;
  });
}

rpc::metadata_map journal::patch_metadata(const rpc::metadata_patch& patch) {
  return impl_->step([&](pending_changes& staged) {
    auto before = impl_->metadata();
    auto after = before;
    rpc::apply(after, patch);
    expect_fit(rpc::encode(after).size(), rpc::encode(before).size(), impl_->settings.bounds.metadata_bytes,
               errc::too_large, "the metadata");
    impl_->agent_metadata.change(before, after);
    staged.metadata = after;
    return after;
  });
}

} // namespace mistify::store
