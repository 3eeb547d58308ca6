#include "actors/ids.hpp"
#include "actors/runner/guest_runner.hpp"
#include "actors/runner/job_end.hpp"

#include <algorithm>
#include <utility>

// The jobs that run: executes what their state machines command, and passes in what comes of it.
namespace mistify::actors {

using rpc::failure;

namespace {

/// True if a job that ends so has removed the guest's record.
bool removes_record(const action_kind& kind, rpc::job_status how) {
  return how == rpc::job_status::complete ? kind.effect == record_effect::deletes
                                          : kind.effect == record_effect::adopts;
}

} // namespace

guest_runner::running_job* guest_runner::current(std::uint64_t epoch) {
  const auto found = std::ranges::find(running_, epoch, &running_job::epoch);
  return found == running_.end() ? nullptr : &*found;
}

/// The last command may end the job.
void guest_runner::execute(running_job& at, job_run::commands all) {
  for (auto& one : all)
    std::visit([&](auto& what) { perform(at, what); }, one);
}

/// The epoch under which the answer to a command comes; answers to earlier ones do not count any more.
std::uint64_t guest_runner::begin_wait(running_job& at) {
  at.since = now();
  return at.epoch = ++epochs_;
}

// -- commands ----------------------------------------------------------------------------------------------------

void guest_runner::perform(running_job& at, job_run::await_place& what) {
  const auto& stage = at.run.steps().current();
  const auto service = context_->find_service(stage.service);
  auto claim = what.claim ? std::move(what.claim) : service.gate->claim_for_job();
  const auto epoch = begin_wait(at);
  if (claim->holds())
    return execute(at, at.run.place_granted(std::move(claim)));
  at.out = {};
  // No deadline: a job waits for as long as the sub-agent is busy. Its cancellation ends the wait, and so does the end of
  // the service; a place that comes after that goes back with the answer.
  self_
    ->request(service.actor, caf::infinite, acquire_slot_atom_v,
              place_request{std::move(claim), at.entry.accepted, stage.method, id(), at.entry.job_id, at.out,
                            hold_ ? *hold_ : all_jobs_hold{}})
    .then(
      [this, epoch](place_ptr& place) {
        if (auto* one = current(epoch))
          execute(*one, one->run.place_granted(std::move(place)));
      },
      [this, epoch](const caf::error& e) {
        if (auto* one = current(epoch))
          execute(*one, one->run.failed(to_failure(e)));
      });
}

/// The start that is queued in the step that completes a create, where the client asked for it.
action_ptr guest_runner::start_behind(const running_job& created) const {
  const auto& kind = *created.entry.kind;
  if (kind.effect != record_effect::creates || !created.run.steps().wish().start)
    return nullptr;
  return context_->find_action(kind.name == "create" ? "start" : "containerStart");
}

store::new_job guest_runner::job_behind(const running_job& created, const action& what) const {
  store::new_job job{new_job_id(), id(), std::string{what.kind->name}, {}, {}, {}, created.entry.request_id};
  job.user = created.entry.user;
  return job;
}

void guest_runner::perform(running_job& at, job_run::save& what) {
  action_ptr behind; // kept: SIGHUP may take it from the config before the step is on disk
  if (const auto* end = std::get_if<store::job_ends>(&what.step.next)) {
    at.removes = removes_record(*at.entry.kind, end->status);
    what.step.then = promise_next(at.entry, what.spent);
    behind = end->status == rpc::job_status::complete ? start_behind(at) : nullptr;
    if (behind)
      what.step.queues = job_behind(at, *behind);
  }
  const auto sent = share(std::move(what.step));
  const auto epoch = begin_wait(at);
  // No deadline: the log answers each step, and only its answer says what is on disk.
  self_->request(context_->log, caf::infinite, record_atom_v, sent)
    .then(
      [this, sent, behind, epoch](const store::recorded_step& recorded) {
        if (auto* one = current(epoch))
          saved(*one, *sent, behind, recorded);
      },
      [this, sent, epoch](const caf::error& e) {
        if (auto* one = current(epoch))
          not_saved(*one, *sent, to_failure(e));
      });
  what.spent.reset(); // the log takes no step of the next job with this place before this one
}

void guest_runner::perform(running_job& at, job_run::call& what) {
  if (!at.began)
    note_begin(at);
  const auto epoch = begin_wait(at);
  at.out = {};
  const auto& stage = at.run.steps().current();
  service_call out{
    stage.method,    std::move(what.request),     what.timeout,         false, at.out, false, at.entry.request_id, id(),
    at.entry.job_id, !at.run.what().needs_places, std::move(what.place)};
  // No deadline: the stage's time-out is the call's own, and its answer comes also when the service dies.
  self_->request(context_->find_service(stage.service).actor, caf::infinite, call_atom_v, std::move(out))
    .then(
      [this, epoch](rpc::json::document& result) {
        if (auto* one = current(epoch))
          execute(*one, one->run.answered(std::move(result)));
      },
      [this, epoch](const caf::error& e) {
        if (auto* one = current(epoch))
          execute(*one, one->run.failed(to_failure(e)));
      });
}

void guest_runner::perform(running_job& at, const job_run::wait& what) {
  self_->delayed_send(self_, what.length, resume_atom_v, begin_wait(at));
}

void guest_runner::perform(running_job& at, const job_run::drop&) {
  at.out.cancel();
  begin_wait(at);
}

void guest_runner::perform(running_job& at, const job_run::finish& what) {
  const bool deleted = what.how && removes_record(*at.entry.kind, what.how->status);
  tell_waiting(at.entry);
  queue_.ended(at.entry.key);
  running_.remove_if([&](const running_job& one) { return &one == &at; });
  update_gauges();
  if (deleted)
    retire();
}

// -- answers of the log ------------------------------------------------------------------------------------------

void guest_runner::saved(running_job& at, const store::job_step& step, const action_ptr& behind,
                         const store::recorded_step& recorded) {
  const bool ends = std::holds_alternative<store::job_ends>(step.next);
  if (ends)
    report_end(at, recorded.job);
  if (auto* next = end_promise(step); next && !recorded.then_began)
    next->place.reset();
  if (recorded.queued != 0) {
    const job_request next{
      behind,           {}, {}, {}, step.queues->request_id, {}, std::chrono::steady_clock::time_point::max(), {},
      step.queues->user};
    context_->measured.jobs.queued(*next.what->kind);
    append(next, image_work_of(next), step.queues->id, recorded.queued);
  }
  execute(at, at.run.recorded(step, recorded));
  if (recorded.then_began)
    go_on_with_begun(step.then->job_id, recorded.guest_doc);
  if (ends)
    begin_next();
  tell_drained();
}

void guest_runner::not_saved(running_job& at, const store::job_step& step, const failure& why) {
  if (std::exchange(at.removes, false))
    refuse_creates();
  if (at.cancelled_for)
    std::exchange(at.cancelled_for, std::nullopt)->deliver(why);
  if (auto* next = end_promise(step))
    next->place.reset();
  execute(at, at.run.refused(step, why));
  begin_next();
  tell_drained();
}

void guest_runner::resume(std::uint64_t epoch) {
  if (auto* one = current(epoch))
    execute(*one, one->run.resumed());
}

// -- what is told of them ----------------------------------------------------------------------------------------

void guest_runner::note_begin(running_job& at) {
  at.began = now();
  history_.note(now(), std::string{at.entry.kind->name} + " begins", at.entry.job_id);
  update_gauges();
}

void guest_runner::report_end(running_job& at, const rpc::job& job) {
  if (at.cancelled_for)
    at.cancelled_for->deliver(job);
  note_end(job);
  const auto failed = at.run.cancelled() ? job_outcome::cancelled : job_outcome::error;
  tell_end(at.entry, job.status == rpc::job_status::error ? failed : job_outcome::complete, job);
}

void guest_runner::tell_end(const job_entry& work, job_outcome how, const rpc::job& job) {
  actors::tell_end(context_->measured.jobs, *work.kind, how, job, work.request_id, times_of(work, job));
}

/// For jobs that ended beside something else: the log did not say how they are now.
void guest_runner::tell_end(const job_entry& work, const std::string& why, rpc::job_code code) {
  tell_end(work, job_outcome::error, unrecorded_end(*work.kind, work.job_id, id(), why, code));
}

job_times guest_runner::times_of(const job_entry& work, const rpc::job& job) const {
  const auto run = std::ranges::find_if(running_, [&](const running_job& one) { return &one.entry == &work; });
  if (run == running_.end() || job.started_at == rpc::timestamp{})
    return {}; // it never began
  const auto began = run->began.value_or(now());
  return {began - work.since, now() - began};
}

} // namespace mistify::actors
