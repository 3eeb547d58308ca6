#include "actors/runner/guest_runner.hpp"

#include <algorithm>

// What a runner tells people who look inside.
namespace mistify::actors {

void guest_runner::tell(actor_status& to, bool in_full) const {
  to.throttles = {info_.level("info"), streams_.level("downloads")};
  to.queued = queue_.size();
  for (const auto& work : queue_) {
    if (!in_full && to.queue.size() == most_told)
      break;
    to.queue.push_back({work.job_id, std::string{work.steps.kind().name}});
  }
  if (!running_.empty())
    tell_job(to);
  tell_calls(to);
  if (!in_full && to.calls.size() > most_told)
    to.calls.resize(most_told);
  if (in_full)
    past_.tell(to, now());
}

/// The oldest of those that run.
void guest_runner::tell_job(actor_status& to) const {
  const auto& first = running_.front();
  const auto& steps = first.work.steps;
  actor_status::work at{{}, now() - first.since, first.work.job_id, std::string{steps.kind().name}};
  at.request = first.work.request_id;
  if (!steps.finished()) {
    at.stage = steps.index() + 1;
    at.method = steps.current().method;
  }
  if (first.saving)
    at.doing = "waits for the database";
  else if (first.calling)
    at.doing = "waits for the answer of " + at.method;
  else if (first.unsaved)
    at.doing = "waits for the database to take writes again";
  else
    at.doing = "pauses before " + at.method + " is tried again";
  to.works_on = std::move(at);
}

/// What it waits for at services, be it in flight or waiting for a place there.
void guest_runner::tell_calls(actor_status& to) const {
  const auto add = [&](const stage& of, history::time since, const std::string& job = {}) {
    to.calls.push_back({of.service, of.method, id_, job, now() - since});
  };
  for (const auto& one : running_)
    if (one.calling)
      add(one.work.steps.current(), one.since, one.work.job_id);
  for (const auto& work : asking_)
    if (!work->steps.finished())
      add(work->steps.current(), work->since);
  for (const auto& download : downloads_)
    add(*download.of, download.since);
  to.calls_out = to.calls.size();
  std::ranges::stable_sort(to.calls, std::ranges::greater{}, &actor_status::call::since);
}

void guest_runner::note_end(const rpc::job& job) {
  if (job.status == rpc::job_status::error)
    past_.note_error(now(), job.action + " ended in an error: " + job.message, job.id);
  else
    past_.note(now(), job.action + " is complete" + (job.message.empty() ? "" : ": " + job.message), job.id);
}

} // namespace mistify::actors
