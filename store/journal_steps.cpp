#include "rpc/codec.hpp"
#include "store/guest_merge.hpp"
#include "store/journal_impl.hpp"

#include <algorithm>
#include <utility>

namespace mistify::store {

namespace {

using rpc::errc;
using rpc::failure;

/// Jobs that belong to no guest carry this in its place; see the contract, section 3.
constexpr std::string_view agent_id = "agent";

/// Of a guest whose create failed; see the contract, section 4.
constexpr std::string_view failed_state = "error";

/// How many jobs over the bound one step deletes beside those it ended: a log whose bound was lowered shrinks little by
/// little, and no step takes long.
constexpr std::size_t prune_ahead = 100;

guest_ptr with_state(const stored_guest& stored, const std::string& state) {
  auto guest = rpc::decode_guest(stored.doc);
  guest.state = state;
  return to_stored(guest);
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
    auto queued = impl_->queue(job, job.guest_id, guest ? guest->doc : std::string{});
    impl_->tell(event_of(event_type::job_queued, queued.job), staged);
    return queued;
  });
}

queued_job journal::add_guest(const rpc::guest& guest, const new_job& job) {
  return impl_->step([&](pending_changes& staged) {
    if (auto first = impl_->keys.answer(job))
      return *std::move(first);
    if (impl_->guest(guest.id)) {
      auto create = impl_->guests.find_create(guest.id);
      if (!create || create->digest != job.request_digest)
        throw failure{errc::conflict, "guest ID exists already"};
      return std::move(create->answer);
    }
    auto stored = to_stored(guest);
    auto queued = impl_->queue(job, guest.id, stored->doc);
    impl_->guests.insert(*stored, queued.job, job.request_digest);
    staged.guests[guest.id] = std::move(stored);
    impl_->tell_guest(event_type::guest_created, queued.job, guest.state, staged);
    impl_->tell(event_of(event_type::job_queued, queued.job), staged);
    return queued;
  });
}

queued_job journal::impl::queue(const new_job& job, std::string guest_id, std::string guest_doc) {
  queued_job queued;
  queued.job.id = job.id;
  queued.job.guest_id = std::move(guest_id);
  queued.job.action = job.action;
  queued.job.queued_at = queued.job.updated_at = settings.now();
  queued.guest_doc = std::move(guest_doc);
  auto seq = jobs.insert(queued.job, job.request, job.request_id);
  keys.keep(job, seq, queued.guest_doc);
  return queued;
}

// -- a job's next step ---------------------------------------------------------------------------------------------

recorded_step journal::record(const job_step& step) {
  return impl_->step([&](pending_changes& staged) {
    auto row = impl_->jobs.find(step.job_id);
    if (!row)
      throw failure{errc::not_found, "no such job"};
    if (rpc::has_ended(row->job.status))
      throw failure{errc::conflict, "the job has ended"};
    auto& job = row->job;
    job.updated_at = impl_->settings.now();
    impl_->tell_stage(*row, step, staged);
    impl_->change_guest(*row, step.change, staged);
    impl_->advance(*row, step.next, staged);
    auto changed = staged.guests.find(job.guest_id);
    auto guest = changed == staged.guests.end() ? impl_->guest(job.guest_id) : changed->second;
    return recorded_step{std::move(job), guest ? guest->doc : std::string{}};
  });
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
    if (put_guest(with_state(*stored, state->state), staged))
      tell_guest(event_type::guest_changed, row.job, state->state, staged);
    return;
  }
  const auto& returned = std::get<guest_returned>(change);
  if (put_guest(merge_guest(*stored, returned.sent_doc, returned.guest), staged))
    tell_guest(event_type::guest_changed, row.job, returned.guest.state, staged);
}

/// False where it is as it was: then nothing is written.
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
  tell_guest(event_type::guest_deleted, row.job, {}, staged);
  for (auto& other : jobs.end_others(row, "guest deleted")) {
    ++staged.ended;
    other.updated_at = row.job.updated_at;
    tell_end(other, staged);
  }
}

void journal::impl::advance(job_row& row, const next_step& next, pending_changes& staged) {
  if (auto stage = std::get_if<stage_starts>(&next)) {
    row.job.status = rpc::job_status::running;
    if (row.job.started_at == rpc::timestamp{}) {
      row.job.started_at = row.job.updated_at;
      tell(event_of(event_type::job_started, row.job), staged);
    }
    return jobs.start_stage(row, *stage);
  }
  if (auto stage = std::get_if<stage_waits>(&next))
    return jobs.wait_at(row, *stage); // the status stays what it is
  end_job(row, std::get<job_ends>(next), staged);
}

void journal::impl::end_job(job_row& row, const job_ends& end, pending_changes& staged) {
  if (!rpc::has_ended(end.status))
    throw failure{errc::internal, "a job ends as complete or error only"};
  row.job.status = end.status;
  if (end.status == rpc::job_status::complete && row.job.started_at == rpc::timestamp{}) // it had no stages
    row.job.started_at = row.job.updated_at;
  row.job.message = end.message;
  jobs.end(row);
  ++staged.ended;
  tell_end(row.job, staged);
}

void journal::impl::prune() {
  if (pending.ended <= 0)
    return;
  const auto total = ended + static_cast<std::size_t>(pending.ended);
  if (total <= settings.keep_jobs)
    return;
  const auto most = static_cast<std::size_t>(pending.ended) + prune_ahead;
  pending.ended -= static_cast<std::ptrdiff_t>(jobs.prune(std::min(total - settings.keep_jobs, most)));
}

// -- by itself -----------------------------------------------------------------------------------------------------

reported_state journal::report_state(std::string_view guest_id, const std::string& state) {
  return impl_->step([&](pending_changes& staged) {
    const auto stored = impl_->guest(guest_id);
    if (!stored)
      throw failure{errc::not_found, "no such guest"};
    if (impl_->jobs.has_unfinished(guest_id))
      throw failure{errc::conflict, "a job of the guest has not ended"};
    auto before = rpc::decode_guest(stored->doc).state;
    if (before == state || before == failed_state)
      return reported_state{stored->doc, {}};
    auto changed = with_state(*stored, state);
    if (impl_->put_guest(changed, staged))
      impl_->tell_change(changed->id, state, staged);
    return reported_state{changed->doc, std::move(before)};
  });
}

// -- is it writable ------------------------------------------------------------------------------------------------

/// SQLite writes a page for this pragma whether or not its value changes.
void journal::probe() {
  impl_->step([&](pending_changes&) {
    const auto version = impl_->file.db().integer("PRAGMA user_version");
    impl_->file.db().execute(("PRAGMA user_version = " + std::to_string(version)).c_str());
    return version;
  });
}

// -- metadata ------------------------------------------------------------------------------------------------------

rpc::metadata_map journal::patch_guest_metadata(std::string_view guest_id, const rpc::metadata_patch& patch) {
  return impl_->step([&](pending_changes& staged) {
    auto stored = impl_->guest(guest_id);
    if (!stored)
      throw failure{errc::not_found, "no such guest"};
    auto guest = rpc::decode_guest(stored->doc);
    auto before = guest.metadata;
    rpc::apply(guest.metadata, patch);
    if (guest.metadata != before && impl_->put_guest(to_stored(guest), staged))
      impl_->tell_change(guest.id, guest.state, staged);
    return guest.metadata;
  });
}

rpc::metadata_map journal::patch_metadata(const rpc::metadata_patch& patch) {
  return impl_->step([&](pending_changes& staged) {
    auto before = impl_->metadata();
    auto after = before;
    rpc::apply(after, patch);
    impl_->agent_metadata.change(before, after);
    staged.metadata = after;
    return after;
  });
}

} // namespace mistify::store
