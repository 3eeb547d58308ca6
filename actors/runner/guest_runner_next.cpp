#include "actors/runner/guest_runner.hpp"
#include "actors/runner/image_work.hpp"

#include <utility>

// Which job of a runner's queue begins next, and with which place.
namespace mistify::actors {

guest_runner::running_job& guest_runner::take(queued& next) {
  auto work = queue_.take(next);
  job_run::job what{work.job_id,           id(),       std::move(work.steps), work.forced,
                    !is_fetch(*work.kind), work.begun, context_->host_now,    std::move(work.interrupted)};
  auto& taken = running_.emplace_back(
    static_cast<job_entry&&>(work), // the rest of it is in the run
    job_run{std::move(what), [this](const stage& of, const place_ptr& held) { return find_place(of, held); }});
  if (draining_)
    taken.run.drain(); // it ends its current stage only
  taken.since = now();
  update_gauges();
  return taken;
}

void guest_runner::begin_next() {
  if (draining_)
    return;
  take_limits();
  while (auto* next = queue_.next()) {
    auto place = std::exchange(next->place, nullptr);
    auto& at = take(*next);
    execute(at, at.run.begin(std::move(place)));
  }
}

/// The log has that job as begun: its stage is called. One that is being cancelled waits for what comes of that.
void guest_runner::go_on_with_begun(const std::string& job_id, const std::string& guest_doc) {
  auto* next = find_queued(job_id);
  if (!next)
    return;
  auto place = std::exchange(next->place, nullptr);
  if (next->held())
    return;
  auto& at = take(*next);
  execute(at, at.run.begun(guest_doc, std::move(place)));
}

/// What is recorded together with the end of the job before it, if its place is free: one commit less to wait for. Until
/// that is on disk the next job is held, so that the end of no other job begins it too.
std::optional<store::job_start> guest_runner::promise_next(const job_entry& ending, const place_ptr& spent) {
  auto* next = draining_ ? nullptr : queue_.next_after(ending.key);
  if (!next || next->steps.finished() || !next->interrupted.empty())
    return std::nullopt;
  const auto& first = next->steps.current();
  if (!is_fetch(*next->kind)) {
    next->place = find_place(first, spent);
    if (!next->place)
      return std::nullopt;
  }
  next->promised = true;
  return store::job_start{next->job_id, next->steps.starts(context_->host_now())};
}

/// The job that was to begin with that step, if it still waits.
guest_runner::queued* guest_runner::end_promise(const store::job_step& step) {
  auto* next = step.then ? find_queued(step.then->job_id) : nullptr;
  if (next)
    next->promised = false;
  return next;
}

/// The place that the job has is kept for its next stage unless others wait.
place_ptr guest_runner::find_place(const stage& next, const place_ptr& held) const {
  const auto gate = context_->find_service(next.service).gate;
  if (held && &held->of() == gate.get())
    return held->keep() ? held : nullptr;
  auto claim = gate->claim_for_job();
  return claim->holds() ? claim : nullptr;
}

} // namespace mistify::actors
