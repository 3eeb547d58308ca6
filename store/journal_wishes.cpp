#include "rpc/base/cut_text.hpp"
#include "rpc/model/codec.hpp"
#include "rpc/model/power.hpp"
#include "store/admission.hpp"
#include "store/guest_merge.hpp"
#include "store/journal_impl.hpp"

#include <algorithm>
#include <array>
#include <utility>

// Steps about what guests are wished to be, and what they do by themselves.
namespace mistify::store {

namespace {

using rpc::errc;
using rpc::failure;

/// Reasons of a guest that is off because it, or somebody on the host, wanted that. Others say that something failed.
constexpr std::array<std::string_view, 5> deliberate{"", "shutdown", "user", "hibernated", "migrated"};

/// True if this state, into which no job has brought it, means that it is not wanted any more.
bool is_off_by_wish(const rpc::guest& guest) {
  return (guest.state == "shutoff" || guest.state == "stopped") &&
         std::ranges::find(deliberate, guest.state_reason) != deliberate.end() &&
         rpc::power_of(guest).restart != rpc::restart_policy::always;
}

/// The code of a start that the host refuses: without room it may succeed later, during maintenance it is refused by a
/// rule.
rpc::job_code code_of_refusal(const failure& why) {
  return why.code() == errc::conflict ? rpc::job_code::no_memory : rpc::job_code::refused;
}

} // namespace

/// Ends the guest's jobs that were queued before that place, except for deletes.
std::vector<rpc::job> journal::impl::preempt(const new_job& by, std::int64_t before, pending_changes& staged) {
  std::vector<rpc::job> ended_jobs;
  for (const auto& id : jobs.preemptible(by.guest_id, before)) {
    auto row = unfinished(id);
    if (!row)
      continue;
    row->job.updated_at = settings.now();
    if (const auto stored = guest(by.guest_id); stored && creates_guest(row->job.action))
      if (put_guest(with_state(*stored, std::string{failed_state}), staged))
        tell_guest(event_type::guest_changed, row->job, std::string{failed_state}, staged);
    end_job(*row, {rpc::job_status::error, "preempted by " + by.action, rpc::job_code::preempted}, staged);
    ended_jobs.push_back(std::move(row->job));
  }
  return ended_jobs;
}

/// No event: what a guest is wished to be is no change of the guest.
void journal::impl::wish(const new_job& by, pending_changes& staged) {
  if (by.wanted.empty())
    return;
  if (by.own != own_start::boot) // that waits until the start has ended: a crash must not lose it
    drop_boot_start(by.guest_id, staged);
  const auto stored = guest(by.guest_id, staged);
  if (!stored)
    return;
  auto wished = rpc::decode_guest(stored->doc);
  if (std::exchange(wished.wanted, by.wanted) != by.wanted)
    put_guest(to_stored(wished), staged);
}

/// The same create again, for a guest whose machine is gone: it keeps what was settled for it (volumes, addresses). It is
/// admitted as any other, but its disks are promised already.
std::optional<queued_job> journal::impl::create_again(const stored_guest& stored, const new_job& job,
                                                      pending_changes& staged) {
  auto again = rpc::decode_guest(stored.doc);
  const auto first = guests.find_create(stored.id);
  if (again.state_reason != rpc::missing_machine || !first || first->digest != job.request_digest ||
      jobs.has_unfinished(stored.id))
    return std::nullopt;
  again.state = "create";
  again.state_reason.clear();
  again.wanted = job.wanted.empty() ? again.wanted : job.wanted;
  auto changed = to_stored(again);
  auto needs = *changed;
  needs.facts.disk = 0;
  admit_create(needs);
  auto row = row_of(job, stored.id);
  guests.erase(stored.id);
  guests.insert(*changed, row.job, job.request_digest);
  staged.guests[stored.id] = changed;
  tell_guest(event_type::guest_changed, row.job, again.state, staged);
  return queue(std::move(row), job, changed->doc, staged);
}

/// Why the host does not start the guest now; null if it does.
std::optional<failure> journal::impl::refusal_of(const stored_guest& guest, const new_job& start) const try {
  if (!holds_memory(guest.facts.state)) // the ledger does not know what this step did
    admit_job(guest, start);
  return std::nullopt;
} catch (const failure& why) {
  return why;
}

/// Returns the job's place in the order of queueing; 0 if the guest is gone or was wished off meanwhile. A start that the
/// host refuses ends at once (0, too), so that its client learns why: the step that it is behind stands all the same.
std::int64_t journal::impl::queue_behind(const rpc::job& ended_job, const new_job& next, pending_changes& staged) {
  const auto stored = guest(ended_job.guest_id, staged);
  if (!stored || rpc::decode_guest(stored->doc).wanted == "off")
    return 0;
  const auto refusal = refusal_of(*stored, next);
  const auto place = queue(row_of(next, ended_job.guest_id), next, stored->doc, staged).seq;
  if (!refusal)
    return place;
  auto row = *staged.jobs.at(next.id);
  end_job(row, {rpc::job_status::error, refusal->message(), code_of_refusal(*refusal)}, staged);
  tell_power(stored->id, "is not started: " + refusal->message(), staged);
  return 0;
}

bool journal::impl::awaits_boot_start(std::string_view guest_id) const {
  const auto& known = pending.boot_starts ? *pending.boot_starts : boot_starts;
  return known.contains(guest_id) && !pending.boot_done.contains(guest_id);
}

void journal::impl::drop_boot_start(std::string_view guest_id, pending_changes& staged) {
  if (!awaits_boot_start(guest_id))
    return;
  boots.drop_start(guest_id);
  staged.boot_done.emplace(guest_id);
}

/// A client may have wished something else since the agent decided to start the guest.
void journal::impl::expect_due(const stored_guest& guest, own_start why) const {
  if (why == own_start::boot && !awaits_boot_start(guest.id))
    throw failure{errc::not_found, "the guest does not wait for the start by the boot any more"};
  if (why == own_start::restart && rpc::decode_guest(guest.doc).wanted != "on")
    throw failure{errc::not_found, "the guest is not wished on any more"};
}

// -- by itself -----------------------------------------------------------------------------------------------------

reported_state journal::report_state(std::string_view guest_id, const std::string& state, const std::string& reason,
                                     std::string_view if_match) {
  return impl_->step([&](pending_changes& staged) {
    const auto stored = impl_->guest(guest_id);
    if (!stored)
      throw failure{errc::not_found, "no such guest"};
    impl_->expect_match(*stored, if_match);
    if (impl_->jobs.has_unfinished(guest_id))
      throw failure{errc::conflict, "a job of the guest has not ended"};
    auto guest = rpc::decode_guest(stored->doc);
    if ((guest.state == state && guest.state_reason == reason) || guest.state == failed_state)
      return reported_state{stored->doc, {}};
    auto before = std::exchange(guest.state, state);
    guest.state_reason = reason;
    if (before != state && is_off_by_wish(guest) && !impl_->awaits_boot_start(guest_id) &&
        !impl_->jobs.last_kept_wish(guest_id)) // else it tells of that job, late
      guest.wanted = "off";
    auto changed = to_stored(guest);
    if (impl_->put_guest(changed, staged))
      impl_->tell_change(guest, before, staged);
    return reported_state{changed->doc, std::move(before)};
  });
}

namespace {

/// What a report leaves out stays as it was.
void add_progress(std::optional<rpc::job_progress>& to, const rpc::job_progress& told) {
  auto& now = to ? *to : to.emplace();
  if (told.done)
    now.done = told.done;
  if (told.total)
    now.total = told.total;
  if (!told.unit.empty())
    now.unit = told.unit;
}

} // namespace

rpc::job journal::report_progress(const std::string& job_id, const stage_report& report) {
  return impl_->step([&](pending_changes& staged) {
    auto row = impl_->unfinished(job_id);
    if (!row)
      impl_->refuse_step_of(job_id);
    if (row->job.status != rpc::job_status::running)
      throw failure{errc::conflict, "the job does not run"};
    row->job.updated_at = impl_->settings.now();
    if (!report.message.empty())
      row->job.message = rpc::cut_text(report.message, impl_->settings.bounds.message_bytes);
    if (report.progress)
      add_progress(row->job.progress, *report.progress);
    impl_->jobs.update(*row);
    staged.jobs[job_id] = *row;
    return std::move(row->job);
  });
}

// -- the host ------------------------------------------------------------------------------------------------------

std::string journal::boot_id() const {
  return impl_->boots.id();
}

std::vector<std::string> journal::boot_starts() const {
  return {impl_->boot_starts.begin(), impl_->boot_starts.end()};
}

void journal::note_boot(const std::string& boot_id, const std::vector<std::string>& to_start,
                        const std::vector<std::string>& off) {
  impl_->step([&](pending_changes& staged) {
    impl_->boots.put(boot_id);
    impl_->boots.drop_starts();
    for (const auto& id : to_start)
      impl_->boots.add_start(id);
    staged.boot_starts.emplace(to_start.begin(), to_start.end());
    for (const auto& id : off)
      if (const auto stored = impl_->guest(id))
        impl_->put_guest(with_wish(*stored, "off"), staged);
    return true;
  });
}

void journal::boot_start_done(const std::string& guest_id) {
  impl_->step([&](pending_changes& staged) {
    impl_->drop_boot_start(guest_id, staged);
    return true;
  });
}

void journal::impl::tell_power(std::string_view guest_id, const std::string& text, pending_changes& staged) {
  event what;
  what.at = settings.now();
  what.type = event_type::guest_power;
  what.guest = guest_id;
  what.text = text;
  tell(std::move(what), staged);
}

void journal::note_event(std::string_view guest_id, const std::string& text) {
  impl_->step([&](pending_changes& staged) {
    impl_->tell_power(guest_id, text, staged);
    return true;
  });
}

} // namespace mistify::store
