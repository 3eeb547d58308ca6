#include "actors/ids.hpp"
#include "actors/runner/guest_runner.hpp"
#include "actors/runner/job_end.hpp"
#include "actors/runner/recovery.hpp"
#include "rpc/model/codec.hpp"

#include <algorithm>
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

/// Fetches may take hours and need little of a sub-agent: they have places of their own.
bool is_fetch(const action_kind& kind) {
  return kind.name == "fetchImage" || kind.name == "containerFetchImage";
}

/// What a job on images is about: jobs of one image run one at a time. An image without an id is known by what it is
/// fetched from.
std::string image_of(const job_request& request) try {
  const auto document = rpc::json::document::parse(request.request);
  for (const auto* name : {"id", "source", "name"})
    if (const auto* member = document.root().find(name); member && member->type() == rpc::json::node::kind::string)
      if (auto text = member->as_string(name); !text.empty())
        return text;
  return {};
} catch (const failure&) { // its stage will say what is wrong
  return {};
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
  } else if (const auto full = too_many_jobs()) {
    answer.deliver(*full);
  } else {
    store::new_job job{new_job_id(),
                       id_,
                       std::string{request.what->kind->name},
                       request.request,
                       std::move(request.idempotency_key),
                       std::move(request.request_digest),
                       request.request_id,
                       beginning_of(request),
                       request.expires};
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

/// Why no further job is taken; nothing if one is.
std::optional<failure> guest_runner::too_many_jobs() const {
  const auto waiting = queue_.size() + being_queued_;
  const auto most_open = context_->limit.open_image_jobs;
  if (waiting >= context_->limit.queue)
    return failure{errc::queue_full, "the queue of this guest is full"};
  if (id_ == agent_runner && waiting + running_.size() >= most_open)
    return failure{errc::queue_full,
                   "there are " + std::to_string(most_open) + " image jobs that have not ended, which is the most"};
  return std::nullopt;
}

std::string guest_runner::key_of(const job_request& request) const {
  return id_ == agent_runner ? image_of(request) : std::string{};
}

/// Where nothing is before the job, it is queued and begins in one step of the log: one commit less to wait for.
std::optional<store::stage_starts> guest_runner::beginning_of(const job_request& request) const {
  if (being_queued_ > 0 || request.what->stages.empty() || !queue_.begins_at_once(key_of(request)))
    return std::nullopt;
  return store::stage_starts{0, request.what->stages.front().method};
}

void guest_runner::queued_up(const job_request& request, const store::queued_job& as, bool begun) {
  --being_queued_;
  beginning_ = beginning_ && !begun;
  if (as.repeated && request.request == forced_delete)
    if (auto* first = find_job(as.job.id)) // a later delete raises it
      first->forced = true;
  if (!as.repeated) {
    context_->measured.jobs.queued(*request.what->kind);
    if (!retired_) // else the delete that ran meanwhile has ended it on disk
      append(request, as.job.id);
    if (begun)
      go_on_with_begun(as.job.id, as.guest_doc);
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
  queued work{job_id, request.request_id, pipeline{request.what, request.request, context_->limit.retries, stage},
              request.request == forced_delete, key_of(request)};
  work.since = now();
  queue_.push(std::move(work));
  show_levels();
}

// -- one job after the other -------------------------------------------------------------------------------------

guest_runner::under_way* guest_runner::current(std::uint64_t turn) {
  const auto found =
    std::find_if(running_.begin(), running_.end(), [turn](const under_way& one) { return one.turn == turn; });
  return found == running_.end() ? nullptr : &*found;
}

guest_runner::under_way& guest_runner::take(const queued& next) {
  auto& begun = running_.emplace_back(queue_.take(next));
  begun.turn = ++turns_;
  begun.began = now();
  past_.note(now(), std::string{begun.work.steps.kind().name} + " begins", begun.work.job_id);
  show_levels();
  return begun;
}

void guest_runner::begin_next() {
  if (draining_)
    return;
  while (const auto* next = queue_.next())
    advance(take(*next), store::guest_unchanged{});
}

/// The log has that job as begun: its stage is called. One that is being cancelled waits for what comes of that.
void guest_runner::go_on_with_begun(const std::string& job_id, const std::string& guest_doc) {
  const auto* next = find_queued(job_id);
  if (!next || next->held())
    return;
  auto& at = take(*next);
  at.sent_doc = guest_doc;
  call_stage(at);
}

/// What is recorded together with the end of the job before it: one commit less to wait for. Until that is on disk the next
/// job is held, so that the end of no other job begins it too.
std::optional<store::job_start> guest_runner::promise_next(const under_way& ending) {
  auto* next = draining_ ? nullptr : queue_.next_after(ending.work.key);
  if (!next || next->steps.finished())
    return std::nullopt;
  next->promised = true;
  return store::job_start{next->job_id, {next->steps.index(), next->steps.current().method}};
}

void guest_runner::break_promise(const store::job_step& step) {
  if (auto* next = step.then ? find_queued(step.then->job_id) : nullptr)
    next->promised = false;
}

/// The current stage is over (or none has begun): on to the next one, or to the end of the job.
void guest_runner::advance(under_way& at, store::guest_change change) {
  auto& steps = at.work.steps;
  at.calling = false;
  store::job_step step{at.work.job_id, std::move(change), store::stage_starts{}, std::exchange(at.skipped_because, {})};
  if (steps.finished()) {
    if (steps.kind().effect == record_effect::deletes)
      step.change = store::guest_removed{};
    step.next = store::job_ends{rpc::job_status::complete, at.remarks};
  } else if (draining_) {
    step.next = store::stage_waits{steps.index()};
  } else {
    step.next = store::stage_starts{steps.index(), steps.current().method};
  }
  save(at, std::move(step));
}

void guest_runner::save(under_way& at, store::job_step step) {
  at.ending = std::holds_alternative<store::job_ends>(step.next);
  step.then = at.ending ? promise_next(at) : std::nullopt;
  at.saving = true;
  at.since = now();
  const auto sent = share(std::move(step));
  self_->request(context_->log, caf::infinite, record_atom_v, sent)
    .then(
      [this, sent, turn = at.turn](const store::recorded_step& recorded) {
        break_promise(*sent);
        if (auto* one = current(turn))
          saved(*one, *sent, recorded);
      },
      [this, sent, turn = at.turn](const caf::error& e) {
        break_promise(*sent);
        if (auto* one = current(turn))
          not_saved(*one, *sent, to_failure(e));
      });
}

void guest_runner::saved(under_way& at, const store::job_step& step, const store::recorded_step& recorded) {
  at.saving = false;
  if (at.cancelled_for)
    at.cancelled_for->deliver(recorded.job);
  if (const auto* how = std::get_if<store::job_ends>(&step.next)) {
    note_end(recorded.job);
    const auto outcome = at.cancelled_for                                ? job_outcome::cancelled
                         : recorded.job.status == rpc::job_status::error ? job_outcome::error
                                                                         : job_outcome::complete;
    tell_end(at.work, outcome, recorded.job);
    finish(at, how);
    if (recorded.then_began)
      go_on_with_begun(step.then->job_id, recorded.guest_doc);
    return go_on();
  }
  if (std::holds_alternative<store::stage_starts>(step.next)) {
    at.sent_doc = recorded.guest_doc;
    call_stage(at);
  } else if (const auto pause = std::exchange(at.pause, std::nullopt); pause && !draining_) {
    self_->delayed_send(self_, *pause, again_atom_v, at.turn);
  }
  tell_drained();
}

/// A database that refuses writes now may take them later: what a sub-agent did must not be forgotten. A guest that cannot
/// be stored as the sub-agent returned it fails the stage. Any other error means that the job has ended in the log already.
void guest_runner::not_saved(under_way& at, const store::job_step& step, const failure& why) {
  at.saving = false;
  if (at.cancelled_for)
    std::exchange(at.cancelled_for, std::nullopt)->deliver(why);
  if (why.code() == errc::sub_agent_failed) {
    at.work.steps.step_back();
    return fail(at, why);
  }
  if (why.code() != errc::storage_failed) {
    finish(at, nullptr);
    return go_on();
  }
  at.unsaved = step;
  at.since = now();
  at.turn = ++turns_;
  self_->delayed_send(self_, save_pause, again_atom_v, at.turn);
  tell_drained();
}

void guest_runner::call_stage(under_way& at) {
  const auto& stage = at.work.steps.current();
  at.calling = true;
  at.call = {};
  at.since = now();
  at.turn = ++turns_;
  try {
    service_call out{
      stage.method,   at.work.steps.params(at.sent_doc), stage.timeout, false, at.call, false, at.work.request_id, id_,
      at.work.job_id, is_fetch(at.work.steps.kind())};
    self_->request(context_->find_service(stage.service), caf::infinite, call_atom_v, std::move(out))
      .then(
        [this, turn = at.turn](std::string& body) {
          if (auto* one = current(turn))
            stage_answered(*one, std::move(body));
        },
        [this, turn = at.turn](const caf::error& e) {
          if (auto* one = current(turn))
            fail(*one, to_failure(e));
        });
  } catch (const failure& e) {
    fail(at, e);
  }
}

void guest_runner::stage_answered(under_way& at, std::string body) {
  try {
    auto progress = at.work.steps.accept(std::move(body), id_);
    if (progress.retry)
      return pause(at, *progress.retry);
    remark(at, progress.message);
    if (progress.returned)
      return advance(at, store::guest_returned{std::move(at.sent_doc), std::move(*progress.returned)});
    advance(at, store::guest_unchanged{});
  } catch (const failure& e) {
    fail(at, e);
  }
}

void guest_runner::remark(under_way& at, std::string_view what) {
  auto& all = at.remarks;
  if (!what.empty())
    all.append(all.empty() ? "" : "; ").append(what);
}

/// The stage is to run again later. No call is out meanwhile, and the log knows it.
void guest_runner::pause(under_way& at, std::chrono::seconds length) {
  at.calling = false;
  at.turn = ++turns_;
  at.pause = length;
  save(at, {at.work.job_id, store::guest_unchanged{}, store::stage_waits{at.work.steps.index()}});
}

void guest_runner::again(std::uint64_t turn) {
  auto* one = current(turn);
  if (!one)
    return;
  if (auto step = std::exchange(one->unsaved, std::nullopt))
    save(*one, std::move(*step));
  else if (!draining_)
    advance(*one, store::guest_unchanged{});
}

void guest_runner::fail(under_way& at, const failure& why) {
  auto& work = at.work;
  at.calling = false;
  if (work.forced) {
    const bool is_first = at.remarks.find(forced_past) == std::string::npos;
    remark(at, (is_first ? std::string{forced_past} : std::string{}) + why.message());
    at.skipped_because = why.message();
    work.steps.skip();
    return advance(at, store::guest_unchanged{});
  }
  save(at,
       {work.job_id, change_when_failed(work.steps.kind()), store::job_ends{rpc::job_status::error, why.message()}});
}

void guest_runner::tell_end(const queued& work, job_outcome how, const rpc::job& job) {
  actors::tell_end(context_->measured.jobs, work.steps.kind(), how, job, work.request_id, times_of(work, job));
}

job_times guest_runner::times_of(const queued& work, const rpc::job& job) const {
  const auto run =
    std::find_if(running_.begin(), running_.end(), [&](const under_way& one) { return &one.work == &work; });
  if (run == running_.end() || job.started_at == rpc::timestamp{})
    return {}; // it never began
  return {run->began - work.since, now() - run->began};
}

/// For jobs that ended beside something else: the log did not say how they are now.
void guest_runner::tell_end(const queued& work, const std::string& why) {
  tell_end(work, job_outcome::error, ended_unseen(work.steps.kind(), work.job_id, id_, why));
}

/// The job is over; `how` is null where the log had ended it before.
void guest_runner::finish(under_way& at, const store::job_ends* how) {
  const bool deleted =
    how && how->status == rpc::job_status::complete && at.work.steps.kind().effect == record_effect::deletes;
  tell_waiting(at.work);
  queue_.ended(at.work.key);
  running_.remove_if([&](const under_way& one) { return &one == &at; });
  show_levels();
  if (deleted)
    retire();
}

/// After the end of a job.
void guest_runner::go_on() {
  begin_next();
  tell_drained();
}

} // namespace mistify::actors
