#include "actors/ids.hpp"
#include "actors/runner/guest_runner.hpp"
#include "actors/runner/image_work.hpp"
#include "actors/runner/job_end.hpp"
#include "rpc/model/codec.hpp"

#include <algorithm>
#include <utility>

// The queue of a runner: which job is accepted, and where it stands.
namespace mistify::actors {

using rpc::errc;
using rpc::failure;

namespace {

failure stopping() {
  return {errc::unavailable, "the agent is stopping"};
}

/// A change that only the agent has to make.
bool needs_no_stage(const action& what) {
  return what.kind->effect == record_effect::changes && what.stages.empty();
}

/// Those that change a guest have a wish of another kind.
bool has_wish(const job_request& request) {
  const auto& kind = *request.what->kind;
  return kind.subject == action_subject::guest && kind.effect != record_effect::changes;
}

/// What the request means for the guest and for other jobs of it.
void settle_wish(store::new_job& job, const job_request& request) {
  if (!has_wish(request))
    return;
  const auto& kind = *request.what->kind;
  const auto wish = decode_wish(request.request);
  job.raises = wish.force;
  job.preempts = wish.preempt;
  if (wish.start)
    job.wanted = "on";
  else if (kind.wish != power_wish::none && !wish.keep_wanted)
    job.wanted = kind.wish == power_wish::on ? "on" : "off";
}

/// A job that begins at once has its place: the log may answer the client before the runner handles the reply. The client's
/// next request to the runner comes after that reply.
stored_listener answered_by_log(reply<store::queued_job> client) {
  return [client = std::move(client)](const store::queued_job& queued_as) { client.deliver(queued_as); };
}

} // namespace

// -- queueing ----------------------------------------------------------------------------------------------------

template <class Atom, class... Ts>
caf::result<store::queued_job> guest_runner::enqueue(job_request& request, Atom atom, Ts... values) {
  if constexpr (sizeof...(Ts) > 0)
    if (retired_) // the front knows, or will before it sees this: a create that comes back to it makes a new runner
      return self_->delegate(front_, atom, std::move(values)..., request);
  if constexpr (sizeof...(Ts) > 0)
    if (is_being_removed())
      return hold_create(std::move(values)..., request);
  const reply<store::queued_job> answer{self_};
  if (retired_) {
    answer.deliver(gone());
  } else if (draining_) {
    answer.deliver(stopping());
  } else {
    take_limits();
    const auto full = too_many_jobs(request);
    auto begins = full ? beginning{} : beginning_of(request);
    auto job = new_job_of(request, begins);
    if (full)
      job.no_room = full->message();
    ++being_queued_;
    without_room_ += full ? 1 : 0;
    beginning_ = beginning_ || begins.stage;
    // No deadline: the log answers each step, and judges itself whether the client's request has expired.
    self_
      ->request(context_->log, caf::infinite, atom, std::move(values)..., std::move(job),
                begins.stage ? answered_by_log(answer) : nullptr)
      .then(
        [this, answer, request = std::move(request), begins,
         full = full.has_value()](const store::queued_job& queued_as) {
          without_room_ -= full ? 1 : 0;
          if (begins.stage) {
            answer.deliver(queued_as);
            return queued_up(request, queued_as, begins);
          }
          queued_up(request, queued_as, begins); // it asks for its place before the client can queue a later job
          answer.deliver(queued_as);
        },
        [this, answer, begins = begins.stage.has_value(), full = full.has_value()](caf::error& e) {
          without_room_ -= full ? 1 : 0;
          answer.deliver(std::move(e));
          not_queued(begins);
        });
  }
  return answer.later();
}

store::new_job guest_runner::new_job_of(job_request& request, const beginning& with) const {
  store::new_job job{new_job_id(),
                     id(),
                     std::string{request.what->kind->name},
                     request.request,
                     std::move(request.idempotency_key),
                     std::move(request.request_digest),
                     request.request_id,
                     with.stage,
                     needs_no_stage(*request.what),
                     std::move(request.if_match),
                     request.expires,
                     request.audit,
                     request.user};
  job.own = request.own;
  settle_wish(job, request);
  return job;
}

/// Sent to the log now, it might be taken behind the end of the record, and its job would belong to a runner that retires.
caf::result<store::queued_job> guest_runner::hold_create(rpc::guest guest, job_request& request) {
  const reply<store::queued_job> answer{self_};
  const auto held = static_cast<std::size_t>(std::ranges::distance(held_creates_));
  if (held >= context_->limit().queue)
    answer.deliver(failure{errc::queue_full, "too many creates wait for the end of the guest"});
  else
    held_creates_.push_front({std::move(guest), std::move(request), answer});
  return answer.later();
}

template caf::result<store::queued_job> guest_runner::enqueue(job_request&, queue_atom);
template caf::result<store::queued_job> guest_runner::enqueue(job_request&, create_atom, rpc::guest);

/// Why the next job is not taken if it needs a place; nothing if it is. One that ends those that wait finds room in a full
/// queue, as one beyond.
std::optional<failure> guest_runner::too_many_jobs(const job_request& next) const {
  const std::size_t coming = being_queued_ - without_room_, waiting = queue_.size() + coming;
  const auto limit = context_->limit();
  const bool has_room_beyond = waiting == limit.queue || coming == 0; // the limit may have been lowered
  const bool empties = has_room_beyond && has_wish(next) && decode_wish(next.request).preempt;
  if (waiting >= limit.queue && !empties)
    return failure{errc::queue_full,
                   "the queue of this guest is full: " + std::to_string(limit.queue) + " jobs wait, which is the most"};
  if (id() == agent_runner && waiting + running_.size() >= limit.open_image_jobs)
    return failure{errc::queue_full, "there are " + std::to_string(limit.open_image_jobs) +
                                       " image jobs that have not ended, which is the most"};
  return std::nullopt;
}

/// Jobs of guests are in one line.
image_work guest_runner::image_work_of(const job_request& request) const {
  if (id() != agent_runner)
    return {};
  auto work = read_image_work(request.request);
  if (!is_fetch(*request.what->kind))
    work.source_host.clear();
  return work;
}

/// Where nothing is before the job and its place is free, it is queued and begins in one step of the log: one commit less
/// to wait for. Where no place is free, the claim waits from now on, so that no later job finds one first.
guest_runner::beginning guest_runner::beginning_of(const job_request& request) const {
  const auto& stages = request.what->stages;
  beginning with{.about = image_work_of(request)};
  if (being_queued_ > 0 || stages.empty() || !queue_.begins_at_once(with.about.image, with.about.source_host))
    return with;
  const auto first = pipeline{request.what, request.request, 0}.starts(context_->host_now());
  const bool needs_place = !is_fetch(*request.what->kind);
  if (needs_place)
    with.place = context_->find_service(stages.front().service).gate->claim_for_job();
  if (!needs_place || with.place->holds())
    with.stage = first;
  return with;
}

void guest_runner::queued_up(const job_request& request, const store::queued_job& as, const beginning& with) {
  --being_queued_;
  beginning_ = beginning_ && !with.stage;
  if (as.repeated && request.what->kind->effect == record_effect::deletes && decode_wish(request.request).force)
    force(as.job.id);
  for (const auto& ended : as.preempted)
    preempted(ended);
  if (as.ended) {
    context_->measured.jobs.queued(*request.what->kind);
    actors::tell_end(context_->measured.jobs, *request.what->kind, job_outcome::complete, as.job, request.request_id,
                     {});
  } else if (!as.repeated) {
    context_->measured.jobs.queued(*request.what->kind);
    if (!retired_) { // else the delete that ran meanwhile has ended it on disk
      auto& added = append(request, with.about, as.job.id, as.seq);
      added.place = with.place;
      if (with.stage)
        added.steps.started(*with.stage);
    }
    if (with.stage)
      go_on_with_begun(as.job.id, as.guest_doc);
  }
  if (!as.repeated || !as.preempted.empty())
    begin_next();
  tell_drained();
  quit_if_done();
}

/// A later delete raises the first.
void guest_runner::force(const std::string& job_id) {
  if (auto* running = find_running(job_id))
    running->run.force();
  else if (auto* waiting = find_queued(job_id))
    waiting->forced = true;
}

/// The log has ended that job in the step that queued another one.
void guest_runner::preempted(const rpc::job& job) {
  for (auto& waiting : queue_)
    waiting.promised = false; // no end of that job will be recorded any more
  if (auto* running = find_running(job.id)) {
    if (running->cancelled_for)
      std::exchange(running->cancelled_for, std::nullopt)->deliver(failure{errc::conflict, job.message});
    note_end(job);
    tell_end(running->entry, job_outcome::cancelled, job);
    execute(*running, running->run.ended());
  } else if (auto* waiting = find_queued(job.id)) {
    tell_end(*waiting, job_outcome::cancelled, job);
    tell_waiting(*waiting);
    queue_.remove_if([&](const queued& q) { return q.job_id == job.id; });
    update_gauges();
  }
}

void guest_runner::not_queued(bool begins) {
  --being_queued_;
  beginning_ = beginning_ && !begins;
  tell_drained();
  retire_if_never_stored();
}

guest_runner::queued& guest_runner::append(const job_request& request, const image_work& about,
                                           const std::string& job_id, std::int64_t accepted, const pipeline_place& at) {
  const auto& kind = *request.what->kind;
  job_entry entry{job_id, request.request_id, request.user, accepted, &kind, about.image, about.source_host, {}, now()};
  queued work{std::move(entry), pipeline{request.what, request.request, context_->limit().retries, at,
                                         follow_ups(kind, context_->find_action)}};
  work.forced = work.steps.wish().force;
  auto& added = queue_.push(std::move(work));
  update_gauges();
  return added;
}

} // namespace mistify::actors
