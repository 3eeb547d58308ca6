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
  for (const auto& job : from.jobs) {
    // SIGHUP may have taken away what the recovery found, and may do so now: the action is looked up once.
    const auto what = context_->find_action(job.job.action);
    const action_finder find = [&](std::string_view wanted) {
      return wanted == job.job.action ? what : context_->find_action(wanted);
    };
    if (auto why = reason_to_end(job, *context_->guests, find)) {
      const auto* kind = find_action_kind(job.job.action);
      auto change = kind ? change_when_failed(*kind) : store::guest_change{};
      caf::anon_send(context_->log, record_atom_v, share({job.job.id, std::move(change), *std::move(why)}));
      continue;
    }
    job_request request{what, job.request, {}, {}, job.request_id};
    request.user = job.job.user;
    auto& added = append(request, image_work_of(request), job.job.id, job.seq, place_of(job));
    added.begun = job.job.status == rpc::job_status::running;
    added.interrupted = stage_to_pass_over(job, find);
  }
  hold_ = &from.hold;
  begin_next();
  hold_ = nullptr;
}

guest_runner::running_job* guest_runner::find_running(const std::string& job_id) {
  const auto found =
    std::find_if(running_.begin(), running_.end(), [&](const running_job& one) { return one.entry.job_id == job_id; });
  return found == running_.end() ? nullptr : &*found;
}

guest_runner::queued* guest_runner::find_queued(const std::string& job_id) {
  const auto found = std::find_if(queue_.begin(), queue_.end(), [&](const queued& q) { return q.job_id == job_id; });
  return found == queue_.end() ? nullptr : &*found;
}

guest_runner::job_entry* guest_runner::find_job(const std::string& job_id) {
  if (auto* running = find_running(job_id))
    return &running->entry;
  return find_queued(job_id);
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
  const auto step = share({work.job_id, change_when_failed(*work.kind),
                           store::job_ends{rpc::job_status::error, "cancelled", rpc::job_code::cancelled}});
  // No deadline: the log answers each step, and only its answer says what is on disk.
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
  auto* work = find_queued(job_id);
  if (!work) // deleted meanwhile with its guest
    return;
  work->being_cancelled = false;
  if (done) {
    tell_waiting(*work);
    queue_.remove_if([&](const queued& q) { return q.job_id == job_id; });
    update_gauges();
  }
  begin_next();
}

/// Whatever still comes of what is dropped belongs to an earlier epoch.
void guest_runner::cancel_running(running_job& at, const reply<rpc::job>& answer) {
  auto todo = at.run.cancel();
  if (!todo)
    return answer.deliver(failure{errc::conflict, "the job is ending"});
  at.cancelled_for.emplace(answer);
  execute(at, *std::move(todo));
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

void guest_runner::tell_waiting(job_entry& work) {
  for (const auto& one : work.waiting)
    one.deliver(true);
  work.waiting.clear();
}

} // namespace mistify::actors
