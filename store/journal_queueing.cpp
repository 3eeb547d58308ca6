#include "store/admission.hpp"
#include "store/adopted_guest.hpp"
#include "store/guest_merge.hpp"
#include "store/journal_impl.hpp"
#include "store/repeated_delete.hpp"

#include <limits>
#include <utility>

// Jobs and guests that are new.
namespace mistify::store {

namespace {

using rpc::errc;
using rpc::failure;

/// The guest id of jobs that belong to no guest; see the contract, section 3.
constexpr std::string_view agent_id = "agent";

/// Ends the guest's jobs wherever they are in the order of queueing.
constexpr auto any_place = std::numeric_limits<std::int64_t>::max();

/// True for actions that delete the guest's record.
bool removes_guest(std::string_view action) {
  return action == "delete" || action == "containerDelete";
}

/// Of a job that takes a place in its guest's queue.
void expect_room(const new_job& job) {
  if (!job.no_room.empty() && !job.at_once)
    throw failure{errc::queue_full, job.no_room};
}

} // namespace

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
    if (deletes_part(job.action))
      if (const auto first = impl_->repeated_delete(job))
        return impl_->join_delete(*first, job, guest ? guest->doc : std::string{}, staged);
    if (guest) {
      impl_->expect_due(*guest, job.own);
      impl_->admit_job(*guest, job);
      impl_->admit_change(*guest, job, staged);
    }
    expect_room(job); // before anything is written
    auto ended = job.preempts ? impl_->preempt(job, any_place, staged) : std::vector<rpc::job>{};
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
        impl_->keys.keep_another(job, row->seq, create->answer.guest_doc);
      else
        impl_->keys.keep(job, impl_->put_back(*there, create->answer.job, staged), create->answer.guest_doc);
      return std::move(create->answer);
    }
    if (const auto* other = impl_->ledger.holder_of_spelling(guest.id))
      throw failure{errc::conflict, "guest ID exists already, as " + *other};
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
    staged.guests[guest.id] = stored;
    impl_->tell_guest(event_type::guest_created, row.job, guest.state, staged);
    return impl_->queue(std::move(row), job, stored->doc, staged);
  });
}

/// The client of a repeated create follows the first one's job, which may have left the log: it is entered again, as
/// far as it is known. Returns its place in the order of queueing.
std::int64_t journal::impl::put_back(const stored_guest& guest, rpc::job create, pending_changes& staged) {
  const bool failed = guest.facts.state == failed_state;
  job_row row;
  row.job = std::move(create);
  row.job.started_at = row.job.queued_at;
  row.job.updated_at = settings.now();
  row.job.status = failed ? rpc::job_status::error : rpc::job_status::complete;
  row.job.code = failed ? rpc::job_code::failed : rpc::job_code::none;
  row.job.message = failed ? "the create failed; why has left the log" : "";
  row.ended = next_ended++;
  jobs.insert(row, "", "");
  jobs.end(row);
  ++staged.ended;
  return row.seq;
}

/// The unfinished job that deletes the same image or snapshot.
std::optional<job_row> journal::impl::repeated_delete(const new_job& job) {
  const auto open = jobs.open(job.guest_id);
  const auto* first = find_repeated_delete(open, job.action, job.request);
  return first ? unfinished(first->id) : std::nullopt;
}

/// A guest, an image or a snapshot has at most one unfinished delete; further requests get the same job.
queued_job journal::impl::join_delete(const job_row& first, const new_job& job, std::string guest_doc,
                                      pending_changes& staged) {
  keys.keep_another(job, first.seq, guest_doc); // before the other writes: it may refuse
  if (job.raises)
    jobs.replace_request(first, job.request);
  auto stopped = job.preempts ? preempt(job, first.seq, staged) : std::vector<rpc::job>{};
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

} // namespace mistify::store
