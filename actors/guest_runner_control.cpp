#include "actors/guest_runner.hpp"
#include "actors/recovery.hpp"

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

guest_runner::queued* guest_runner::find_job(const std::string& job_id) {
  if (running_ && running_->work.job_id == job_id)
    return &running_->work;
  const auto found = std::find_if(queue_.begin(), queue_.end(), [&](const queued& q) { return q.job_id == job_id; });
  return found == queue_.end() ? nullptr : &*found;
}

caf::result<rpc::job> guest_runner::cancel(const std::string& job_id) {
  const reply<rpc::job> answer{self_};
  auto* work = find_job(job_id);
  if (!work)
    answer.deliver(failure{errc::conflict, "the job has ended"});
  else if (running_ && work == &running_->work)
    cancel_running(answer);
  else
    cancel_queued(*work, answer);
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
void guest_runner::cancel_running(const reply<rpc::job>& answer) {
  if (running_->ending)
    return answer.deliver(failure{errc::conflict, "the job is ending"});
  auto& work = running_->work;
  running_->call.cancel();
  running_->calling = false;
  running_->turn = ++turns_;
  auto change = change_when_failed(work.steps.kind());
  if (auto unsaved = std::exchange(running_->unsaved, std::nullopt);
      unsaved && !std::holds_alternative<store::guest_unchanged>(unsaved->change))
    change = std::move(unsaved->change);
  running_->cancelled_for.emplace(answer);
  save({work.job_id, std::move(change), store::job_ends{rpc::job_status::error, "cancelled in " + work.steps.label()}});
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
