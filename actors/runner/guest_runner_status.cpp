#include "actors/runner/guest_runner.hpp"

#include <algorithm>

// What a runner tells people who look inside.
namespace mistify::actors {

void guest_runner::tell(actor_status& to, bool in_full) const {
  const auto tell_throttles = [&](const streams& of) {
    to.throttles = {info_level(), of.downloads.level("downloads"), of.logs.level("log readers")};
  };
  streams_ ? tell_throttles(*streams_) : tell_throttles(make_streams());
  to.queued = queue_.size();
  for (const auto& work : queue_) {
    if (!in_full && to.queue.size() == most_told)
      break;
    to.queue.push_back({work.job_id, std::string{work.kind->name}});
  }
  if (!running_.empty())
    tell_job(to);
  tell_calls(to);
  if (!in_full && to.calls.size() > most_told)
    to.calls.resize(most_told);
  if (in_full)
    history_.tell(to, now());
}

std::string guest_runner::doing(const job_run& run) {
  if (run.busy())
    return run.is<job_run::calling>() ? "waits for the answer of " + run.steps().current().method
                                      : "waits for the database";
  if (run.is<job_run::blocked>())
    return "waits for the database to take writes again";
  if (run.is<job_run::waiting_for_place>())
    return "waits for a place at service " + run.steps().current().service;
  if (run.is<job_run::pausing>())
    return "pauses before " + run.steps().current().method + " is tried again";
  return "goes on after the restart";
}

/// The oldest of those that run.
void guest_runner::tell_job(actor_status& to) const {
  const auto& first = running_.front();
  const auto& steps = first.run.steps();
  actor_status::work at{doing(first.run), now() - first.since, first.entry.job_id, std::string{steps.kind().name}};
  at.request = first.entry.request_id;
  if (!steps.finished()) {
    at.stage = steps.index() + 1;
    at.method = steps.current().method;
  }
  to.works_on = std::move(at);
}

/// What it waits for at services, be it in flight or waiting for a place there.
void guest_runner::tell_calls(actor_status& to) const {
  const auto add = [&](const stage& of, history::time since, const std::string& job = {}) {
    to.calls.push_back({of.service, of.method, id(), job, now() - since});
  };
  for (const auto& one : running_)
    if (one.run.is<job_run::calling>() || one.run.is<job_run::waiting_for_place>())
      add(one.run.steps().current(), one.since, one.entry.job_id);
  if (info_)
    for (const auto& work : info_->asking)
      if (!work->steps.finished())
        add(work->steps.current(), work->since);
  if (streams_)
    for (const auto& download : streams_->out)
      add(*download.of, download.since);
  to.calls_out = to.calls.size();
  std::ranges::stable_sort(to.calls, std::ranges::greater{}, &actor_status::call::since);
}

void guest_runner::note_end(const rpc::job& job) {
  if (job.status == rpc::job_status::error)
    history_.note_error(now(), job.action + " ended in an error: " + job.message, job.id);
  else
    history_.note(now(), job.action + " is complete" + (job.message.empty() ? "" : ": " + job.message), job.id);
}

} // namespace mistify::actors
