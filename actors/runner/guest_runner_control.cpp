#include "actors/runner/guest_runner.hpp"
#include "actors/runner/recovery.hpp"

#include <algorithm>
#include <utility>

// What happens to a runner's jobs from outside: taken over after a restart, cancelled, waited for.
namespace mistify::actors {

using rpc::errc;
using rpc::failure;

namespace {

/// How many may wait for the end of one job at a time.
constexpr std::size_t most_waiting_for_a_job = 100;

} // namespace

void guest_runner::restore(const runner_restore& from) {
  for (const auto& job : from.jobs)
    append({context_->find_action(job.job.action), job.request, {}, {}, job.request_id}, job.job.id, job.stage);
  begin_next();
}

guest_runner::under_way* guest_runner::find_running(const std::string& job_id) {
  const auto found =
    std::find_if(running_.begin(), running_.end(), [&](const under_way& one) { return one.work.job_id == job_id; });
  return found == running_.end() ? nullptr : &*found;
}

guest_runner::queued* guest_runner::find_queued(const std::string& job_id) {
  const auto found = std::find_if(queue_.begin(), queue_.end(), [&](const queued& q) { return q.job_id == job_id; });
  return found == queue_.end() ? nullptr : &*found;
}

guest_runner::queued* guest_runner::find_job(const std::string& job_id) {
  auto* running = find_running(job_id);
  return running ? &running->work : find_queued(job_id);
}

caf::result<rpc::job> guest_runner::cancel(const std::string& job_id) {
  const reply<rpc::job> answer{self_};
  if (auto* running = find_running(job_id))
    cancel_running(*running, answer);
  else if (auto* work = find_queued(job_id))
    cancel_queued(*work, answer);
  else
    answer.deliver(failure{errc::conflict, "the job has ended"});
  return answer.later();
}

/// It stays in the queue until the log has ended it, so that nothing is lost if the log cannot.
void guest_runner::cancel_queued(queued& work, const reply<rpc::job>& answer) {
  if (work.being_cancelled)
    return answer.deliver(failure{errc::conflict, "the job is being cancelled"});
  work.being_cancelled = true;
  const auto step =
    share({work.job_id, change_when_failed(work.steps.kind()), store::job_ends{rpc::job_status::error, "cancelled"}});
  self_->request(context_->log, caf::infinite, record_atom_v, step)
    .then(
      [this, answer, id = work.job_id](const store::recorded_step& recorded) {
        answer.deliver(recorded.job);
        if (const auto* ended = find_job(id))
          tell_end(*ended, job_outcome::cancelled, recorded.job);
        cancelled(id, true);
      },
      [this, answer, id = work.job_id](caf::error& e) {
        answer.deliver(std::move(e));
        cancelled(id, false);
      });
}

void guest_runner::cancelled(const std::string& job_id, bool done) {
  auto* work = find_job(job_id);
  if (!work) // deleted meanwhile with its guest
    return;
  work->being_cancelled = false;
  if (done) {
    tell_waiting(*work);
    queue_.remove_if([&](const queued& q) { return q.job_id == job_id; });
    show_levels();
  }
  begin_next();
}

/// The call is dropped, and whatever still comes of it belongs to an earlier turn. A change that the database has not
/// taken yet is saved with the end: the sub-agent did it.
void guest_runner::cancel_running(under_way& at, const reply<rpc::job>& answer) {
  if (at.ending)
    return answer.deliver(failure{errc::conflict, "the job is ending"});
  auto& work = at.work;
  at.call.cancel();
  at.calling = false;
  at.turn = ++turns_;
  auto change = change_when_failed(work.steps.kind());
  if (auto unsaved = std::exchange(at.unsaved, std::nullopt);
      unsaved && !std::holds_alternative<store::guest_unchanged>(unsaved->change))
    change = std::move(unsaved->change);
  at.cancelled_for.emplace(answer);
  save(at,
       {work.job_id, std::move(change), store::job_ends{rpc::job_status::error, "cancelled in " + work.steps.label()}});
}

caf::result<bool> guest_runner::await_end(const std::string& job_id) {
  auto* work = find_job(job_id);
  if (!work)
    return to_error({errc::not_found, "not found"});
  // Whoever gave up waiting is still in the list; the oldest make room.
  if (work->waiting.size() >= most_waiting_for_a_job) {
    work->waiting.front().deliver(true);
    work->waiting.pop_front();
  }
  work->waiting.emplace_back(self_);
  return work->waiting.back().later();
}

void guest_runner::tell_waiting(queued& work) {
  for (const auto& one : work.waiting)
    one.deliver(true);
  work.waiting.clear();
}

} // namespace mistify::actors
