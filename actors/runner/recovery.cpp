#include "actors/runner/recovery.hpp"

#include "actors/ids.hpp"
#include "actors/runner/job_end.hpp"
#include "actors/runner/pipeline.hpp"
#include "rpc/model/codec.hpp"
#include "rpc/model/power.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace mistify::actors {

namespace {

/// A job that is read again, with what its config is now.
struct recovered_run {
  recovered_run(const store::unfinished_job& job, const action_ptr& what, const action_finder& find_action)
    : late{follow_ups(*what->kind, find_action)}, steps{what, job.request, 0, place_of(job), late} {}

  std::vector<action_ptr> late;
  pipeline steps;
};

/// A stage with a deadline that was called before is sent `again`, and only checks the state.
bool asked_again(const store::unfinished_job& job) {
  return job.due.is_set() && place_of(job).called;
}

bool may_be_sent_again(const store::unfinished_job& job, const recovered_run& run) {
  return !run.steps.finished() && (run.steps.current().idempotent || asked_again(job));
}

/// True for a call whose result is not known.
bool is_interrupted(const store::unfinished_job& job, const recovered_run& run) {
  return job.call_was_out && !may_be_sent_again(job, run);
}

std::string interruption_of(const store::unfinished_job& job) {
  return "interrupted by an agent restart in stage " + std::to_string(job.stage + 1) + " (" + job.stage_name + ')';
}

/// True for a forced delete, which continues after a failed stage.
bool is_forced(const recovered_run& run) {
  return run.steps.kind().effect == record_effect::deletes && run.steps.wish().force && !run.steps.finished();
}

/// True if the job had turned to the stages of actions that are not configured any more.
bool has_lost_its_stages(const store::unfinished_job& job, const recovered_run& run) {
  return job.detour != 0 && (run.steps.finished() || std::ranges::find(run.late, nullptr) != run.late.end());
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

/// What a new boot of the host does with the guests.
struct boot_choice {
  std::vector<std::string> to_start, off;
};

/// The state of a guest whose create failed; see the contract, section 4.
constexpr std::string_view failed_state = "error";

/// Guests that an earlier boot was still to start wait for it further on. A guest whose create failed has no machine.
boot_choice choose(const store::guest_index& guests, const std::vector<std::string>& left) {
  const std::set<std::string_view> waiting{left.begin(), left.end()};
  boot_choice all;
  for (const auto& one : guests.all()) {
    if (one->facts.state == failed_state)
      continue;
    const auto guest = rpc::decode_guest(one->doc);
    const auto rule = rpc::power_of(guest).boot;
    const bool wanted = guest.wanted == "on";
    if (rule == rpc::boot_policy::on || (rule == rpc::boot_policy::last && (wanted || waiting.contains(guest.id))))
      all.to_start.push_back(guest.id);
    else if (rule == rpc::boot_policy::off && wanted)
      all.off.push_back(guest.id);
  }
  return all;
}

/// The guests that are still to be started, with the starts of them that go on.
boot_plan plan_of(const store::journal& journal) {
  std::map<std::string, std::string> going_on;
  for (const auto& job : journal.unfinished())
    if (job.job.action == "start" || job.job.action == "containerStart")
      going_on.emplace(job.job.guest_id, job.job.id);
  boot_plan plan;
  for (auto& guest : journal.boot_starts()) {
    const auto job = going_on.find(guest);
    plan.starts.push_back({guest, job == going_on.end() ? std::string{} : job->second});
  }
  return plan;
}

} // namespace

store::guest_change change_when_failed(const action_kind& kind) {
  if (kind.effect == record_effect::creates)
    return store::guest_state{"error"};
  if (kind.effect == record_effect::adopts)
    return store::guest_removed{};
  return store::guest_unchanged{};
}

std::optional<store::job_ends> reason_to_end(const store::unfinished_job& job, const store::guest_index& guests,
                                             const action_finder& find_action) {
  const auto end = [](std::string why, rpc::job_code code) {
    return store::job_ends{rpc::job_status::error, std::move(why), code};
  };
  const auto what = find_action(job.job.action);
  if (!what)
    return end(job.job.action + ": Not configured", rpc::job_code::failed);
  if (job.job.guest_id != agent_runner && !guests.find(job.job.guest_id))
    return end("the guest is gone", rpc::job_code::guest_deleted);
  const recovered_run run{job, what, find_action};
  if (has_lost_its_stages(job, run))
    return end("what should follow a late " + job.job.action + " is not configured any more", rpc::job_code::failed);
  if (!is_interrupted(job, run) || is_forced(run))
    return std::nullopt;
  return end(interruption_of(job), rpc::job_code::interrupted);
}

std::string stage_to_pass_over(const store::unfinished_job& job, const action_finder& find_action) {
  const auto what = find_action(job.job.action);
  if (!what)
    return {};
  const recovered_run run{job, what, find_action};
  return is_interrupted(job, run) && is_forced(run) ? interruption_of(job) : std::string{};
}

std::vector<store::unfinished_job> recover_jobs(store::journal& journal, const store::guest_index& guests,
                                                const config& settings, job_metrics& measured) {
  std::vector<store::unfinished_job> going_on;
  std::vector<interrupted_job> ended;
  const batch writes{journal};
  const auto find = [&](std::string_view name) { return settings.find_action(name); };
  for (auto& job : journal.unfinished()) {
    if (auto why = reason_to_end(job, guests, find)) {
      const auto* kind = find_action_kind(job.job.action);
      auto change = kind ? change_when_failed(*kind) : store::guest_change{};
      writes.begin();
      if (kind && kind->type == action_type::async)
        ended.push_back(
          {*kind, unrecorded_end(*kind, job.job.id, job.job.guest_id, why->message, why->code), job.request_id});
      journal.record({job.job.id, std::move(change), *std::move(why)});
    } else {
      going_on.push_back(std::move(job));
    }
  }
  writes.commit();
  for (const auto& one : ended)
    tell_end(measured, one.what, job_outcome::interrupted, one.job, one.request_id);
  return going_on;
}

boot_plan note_boot(store::journal& journal, const store::guest_index& guests, const std::string& boot) {
  const auto last = journal.boot_id();
  if (!boot.empty() && last != boot) {
    const auto chosen = last.empty() ? boot_choice{} : choose(guests, journal.boot_starts());
    const batch write{journal};
    write.begin();
    journal.note_boot(boot, chosen.to_start, chosen.off);
    write.commit();
  }
  return plan_of(journal);
}

} // namespace mistify::actors
