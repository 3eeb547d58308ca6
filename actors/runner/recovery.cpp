#include "actors/runner/recovery.hpp"

#include "actors/ids.hpp"
#include "actors/runner/job_end.hpp"

#include <optional>
#include <string>
#include <utility>

namespace mistify::actors {

namespace {

/// Why a job cannot go on; nothing if it can.
std::optional<std::string> reason_to_end(const store::unfinished_job& job, const store::guest_index& guests,
                                         const action* what) {
  if (!what)
    return job.job.action + ": Not configured";
  if (job.job.guest_id != agent_runner && !guests.find(job.job.guest_id))
    return "the guest is gone";
  const bool may_be_sent_again = job.stage < what->stages.size() && what->stages[job.stage].idempotent;
  if (!job.call_was_out || may_be_sent_again)
    return std::nullopt;
  return "interrupted by an agent restart in stage " + std::to_string(job.stage + 1) + " (" + job.stage_name + ')';
}

/// What is to be told of a job once its end is committed.
struct interrupted_job {
  const action_kind& what;
  rpc::job job;
  std::string request_id;
};

/// A batch that is begun by the first write, so that a database which refuses writes is no matter where none is needed.
/// Undone unless committed.
class batch {
public:
  explicit batch(store::journal& in) noexcept : journal_{in} {}
  ~batch() {
    if (journal_.in_batch())
      journal_.rollback();
  }
  batch(const batch&) = delete;
  batch& operator=(const batch&) = delete;

  void begin() const {
    if (!journal_.in_batch())
      journal_.begin();
  }
  void commit() const {
    if (journal_.in_batch())
      journal_.commit();
  }

private:
  store::journal& journal_;
};

} // namespace

store::guest_change change_when_failed(const action_kind& kind) {
  if (kind.effect == record_effect::creates)
    return store::guest_state{"error"};
  return store::guest_unchanged{};
}

std::vector<store::unfinished_job> recover_jobs(store::journal& journal, const store::guest_index& guests,
                                                const config& settings, job_metrics& measured) {
  std::vector<store::unfinished_job> going_on;
  std::vector<interrupted_job> ended;
  const batch writes{journal};
  for (auto& job : journal.unfinished()) {
    const auto what = settings.find_action(job.job.action);
    if (const auto why = reason_to_end(job, guests, what.get())) {
      const auto* kind = find_action_kind(job.job.action);
      auto change = kind ? change_when_failed(*kind) : store::guest_change{};
      writes.begin();
      journal.record({job.job.id, std::move(change), store::job_ends{rpc::job_status::error, *why}});
      if (kind && kind->type == action_type::async)
        ended.push_back({*kind, unrecorded_end(*kind, job.job.id, job.job.guest_id, *why), job.request_id});
    } else {
      going_on.push_back(std::move(job));
    }
  }
  writes.commit();
  for (const auto& one : ended)
    tell_end(measured, one.what, job_outcome::interrupted, one.job, one.request_id);
  return going_on;
}

} // namespace mistify::actors
