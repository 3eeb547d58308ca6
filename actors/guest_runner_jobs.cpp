#include "actors/guest_runner.hpp"
#include "actors/ids.hpp"
#include "actors/job_end.hpp"
#include "actors/recovery.hpp"
#include "rpc/codec.hpp"

#include <chrono>
#include <utility>

// The jobs of a runner: queue, stages, and what each step leaves on disk.
namespace mistify::actors {

using namespace std::chrono_literals;
using rpc::errc;
using rpc::failure;

namespace {

/// How long a step waits before it is offered again to a database that refused it (a full disk, mostly).
constexpr auto save_pause = 1s;

constexpr std::string_view forced_past = "forced past: ";

failure stopping() {
  return {errc::unavailable, "the agent is stopping"};
}

} // namespace

// -- queueing ----------------------------------------------------------------------------------------------------

template <class Atom, class... Ts>
caf::result<store::queued_job> guest_runner::enqueue(job_request& request, Atom atom, Ts... values) {
  if constexpr (sizeof...(Ts) > 0)
    if (retired_) // the front knows, or will before it sees this: a create that comes back to it makes a new runner
      return self_->delegate(front_, atom, std::move(values)..., request);
  const reply<store::queued_job> answer{self_};
  if (retired_) {
    answer.deliver(gone());
  } else if (draining_) {
    answer.deliver(stopping());
  } else if (queue_.size() + being_queued_ >= context_->limit.queue) {
    answer.deliver(failure{errc::queue_full, "the queue of this guest is full"});
  } else {
    store::new_job job{new_job_id(),
                       id_,
                       std::string{request.what->kind->name},
                       request.request,
                       std::move(request.idempotency_key),
                       std::move(request.request_digest),
                       request.request_id,
                       beginning_of(request)};
    ++being_queued_;
    const bool begins = job.begins.has_value();
    beginning_ = beginning_ || begins;
    self_->request(context_->log, caf::infinite, atom, std::move(values)..., std::move(job))
      .then(
        [this, answer, request = std::move(request), begins](const store::queued_job& queued_as) {
          answer.deliver(queued_as);
          queued_up(request, queued_as, begins);
        },
        [this, answer, begins](caf::error& e) {
          answer.deliver(std::move(e));
          not_queued(begins);
        });
  }
  return answer.later();
}

template caf::result<store::queued_job> guest_runner::enqueue(job_request&, queue_atom);
template caf::result<store::queued_job> guest_runner::enqueue(job_request&, create_atom, rpc::guest);

/// Where nothing is before the job, it is queued and begins in one step of the log: one commit less to wait for.
std::optional<store::stage_starts> guest_runner::beginning_of(const job_request& request) const {
  if (running_ || !queue_.empty() || being_queued_ > 0 || request.what->stages.empty())
    return std::nullopt;
  return store::stage_starts{0, request.what->stages.front().method};
}

void guest_runner::queued_up(const job_request& request, const store::queued_job& as, bool begun) {
  --being_queued_;
  beginning_ = beginning_ && !begun;
  if (!as.repeated) {
    context_->measured.jobs.queued(*request.what->kind);
    if (!retired_) // else the delete that ran meanwhile has ended it on disk
      append(request, as.job.id);
    if (begun && !queue_.empty())
      go_on_with_begun(as.guest_doc);
    else
      begin_next();
  }
  tell_drained();
  quit_if_done();
}

void guest_runner::not_queued(bool begins) {
  --being_queued_;
  beginning_ = beginning_ && !begins;
  tell_drained();
  retire_if_never_stored();
}

void guest_runner::append(const job_request& request, const std::string& job_id, std::size_t stage) {
  queue_.push_back({job_id, request.request_id, pipeline{request.what, request.request, context_->limit.retries, stage},
                    request.request == forced_delete});
  show_levels();
}

// -- one job after the other -------------------------------------------------------------------------------------

void guest_runner::take_next() {
  running_.emplace(std::move(queue_.front()));
  running_->turn = ++turns_;
  queue_.pop_front();
  past_.note(now(), std::string{running_->work.steps.kind().name} + " begins", running_->work.job_id);
  show_levels();
}

void guest_runner::begin_next() {
  if (running_ || draining_ || queue_.empty() || queue_.front().being_cancelled)
    return;
  take_next();
  advance(store::guest_unchanged{});
}

/// The log has the next job as begun: its stage is called.
void guest_runner::go_on_with_begun(const std::string& guest_doc) {
  take_next();
  running_->sent_doc = guest_doc;
  call_stage();
}

/// What is recorded together with the end of the job before it: one commit less to wait for.
std::optional<store::job_start> guest_runner::beginning_of_next() const {
  if (draining_ || queue_.empty() || queue_.front().being_cancelled || queue_.front().steps.finished())
    return std::nullopt;
  const auto& next = queue_.front();
  return store::job_start{next.job_id, {next.steps.index(), next.steps.current().method}};
}

/// The current stage is over (or none has begun): on to the next one, or to the end of the job.
void guest_runner::advance(store::guest_change change) {
  auto& steps = running_->work.steps;
  running_->calling = false;
  store::job_step step{running_->work.job_id, std::move(change), store::stage_starts{},
                       std::exchange(running_->skipped_because, {})};
  if (steps.finished()) {
    if (steps.kind().effect == record_effect::deletes)
      step.change = store::guest_removed{};
    step.next = store::job_ends{rpc::job_status::complete, running_->remarks};
  } else if (draining_) {
    step.next = store::stage_waits{steps.index()};
  } else {
    step.next = store::stage_starts{steps.index(), steps.current().method};
  }
  save(std::move(step));
}

void guest_runner::save(store::job_step step) {
  running_->ending = std::holds_alternative<store::job_ends>(step.next);
  step.then = running_->ending ? beginning_of_next() : std::nullopt;
  running_->saving = true;
  running_->since = now();
  const auto sent = share(std::move(step));
  self_->request(context_->log, caf::infinite, record_atom_v, sent)
    .then(
      [this, sent, turn = running_->turn](const store::recorded_step& recorded) {
        if (is_current(turn))
          saved(*sent, recorded);
      },
      [this, sent, turn = running_->turn](const caf::error& e) {
        if (is_current(turn))
          not_saved(*sent, to_failure(e));
      });
}

void guest_runner::saved(const store::job_step& step, const store::recorded_step& recorded) {
  running_->saving = false;
  if (running_->cancelled_for)
    running_->cancelled_for->deliver(recorded.job);
  if (const auto* how = std::get_if<store::job_ends>(&step.next)) {
    note_end(recorded.job);
    const auto outcome = running_->cancelled_for                         ? job_outcome::cancelled
                         : recorded.job.status == rpc::job_status::error ? job_outcome::error
                                                                         : job_outcome::complete;
    tell_end(running_->work, outcome, recorded.job);
    return finish(how, recorded.then_began ? &recorded : nullptr);
  }
  if (std::holds_alternative<store::stage_starts>(step.next)) {
    running_->sent_doc = recorded.guest_doc;
    call_stage();
  } else if (const auto pause = std::exchange(running_->pause, std::nullopt); pause && !draining_) {
    self_->delayed_send(self_, *pause, again_atom_v, running_->turn);
  }
  tell_drained();
}

/// A database that refuses writes now may take them later: what a sub-agent did must not be forgotten. Any other error
/// means that the job has ended in the log already.
void guest_runner::not_saved(const store::job_step& step, const failure& why) {
  running_->saving = false;
  if (running_->cancelled_for)
    std::exchange(running_->cancelled_for, std::nullopt)->deliver(why);
  if (why.code() != errc::storage_failed)
    return finish(nullptr);
  running_->unsaved = step;
  running_->since = now();
  running_->turn = ++turns_;
  self_->delayed_send(self_, save_pause, again_atom_v, running_->turn);
  tell_drained();
}

void guest_runner::call_stage() {
  const auto& stage = running_->work.steps.current();
  running_->calling = true;
  running_->call = {};
  running_->since = now();
  running_->turn = ++turns_;
  try {
    service_call out{stage.method,
                     running_->work.steps.params(running_->sent_doc),
                     stage.timeout,
                     false,
                     running_->call,
                     false,
                     running_->work.request_id,
                     id_,
                     running_->work.job_id};
    self_->request(context_->find_service(stage.service), caf::infinite, call_atom_v, std::move(out))
      .then(
        [this, turn = running_->turn](std::string& body) {
          if (is_current(turn))
            stage_answered(std::move(body));
        },
        [this, turn = running_->turn](const caf::error& e) {
          if (is_current(turn))
            fail(to_failure(e));
        });
  } catch (const failure& e) {
    fail(e);
  }
}

void guest_runner::stage_answered(std::string body) {
  try {
    auto progress = running_->work.steps.accept(std::move(body), id_);
    if (progress.retry)
      return pause(*progress.retry);
    remark(progress.message);
    if (progress.returned)
      return advance(store::guest_returned{std::move(running_->sent_doc), std::move(*progress.returned)});
    advance(store::guest_unchanged{});
  } catch (const failure& e) {
    fail(e);
  }
}

void guest_runner::remark(std::string_view what) {
  auto& all = running_->remarks;
  if (!what.empty())
    all.append(all.empty() ? "" : "; ").append(what);
}

/// The stage is to run again later. No call is out meanwhile, and the log knows it.
void guest_runner::pause(std::chrono::seconds length) {
  running_->calling = false;
  running_->turn = ++turns_;
  running_->pause = length;
  save({running_->work.job_id, store::guest_unchanged{}, store::stage_waits{running_->work.steps.index()}});
}

void guest_runner::again(std::uint64_t turn) {
  if (!is_current(turn))
    return;
  if (auto step = std::exchange(running_->unsaved, std::nullopt))
    save(std::move(*step));
  else if (!draining_)
    advance(store::guest_unchanged{});
}

void guest_runner::fail(const failure& why) {
  auto& work = running_->work;
  running_->calling = false;
  if (work.forced) {
    const bool is_first = running_->remarks.find(forced_past) == std::string::npos;
    remark((is_first ? std::string{forced_past} : std::string{}) + why.message());
    running_->skipped_because = why.message();
    work.steps.skip();
    return advance(store::guest_unchanged{});
  }
  save({work.job_id, change_when_failed(work.steps.kind()), store::job_ends{rpc::job_status::error, why.message()}});
}

void guest_runner::tell_end(const queued& work, job_outcome how, const rpc::job& job) {
  actors::tell_end(context_->measured.jobs, work.steps.kind(), how, job, work.request_id);
}

/// For jobs that ended beside something else: the log did not say how they are now.
void guest_runner::tell_end(const queued& work, const std::string& why) {
  tell_end(work, job_outcome::error, ended_unseen(work.steps.kind(), work.job_id, id_, why));
}

/// The job is over; `how` is null where the log had ended it before, `begun` is not where the next one began with its end.
void guest_runner::finish(const store::job_ends* how, const store::recorded_step* begun) {
  const bool deleted =
    how && how->status == rpc::job_status::complete && running_->work.steps.kind().effect == record_effect::deletes;
  tell_waiting(running_->work);
  running_.reset();
  show_levels();
  if (deleted)
    retire();
  else if (begun && !queue_.front().being_cancelled)
    go_on_with_begun(begun->guest_doc);
  else
    begin_next();
  tell_drained();
}

} // namespace mistify::actors
