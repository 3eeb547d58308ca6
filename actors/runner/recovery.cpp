#include "actors/runner/recovery.hpp"

#include "actors/ids.hpp"
#include "actors/runner/job_end.hpp"
#include "actors/runner/pipeline.hpp"
#include "rpc/base/host_time.hpp"
#include "rpc/model/codec.hpp"
#include "rpc/model/power.hpp"

#include <optional>
#include <string>
#include <utility>

namespace mistify::actors {

namespace {

bool may_be_sent_again(const store::unfinished_job& job, const action_ptr& what, const config& settings) {
  const pipeline steps{what, job.request, 0, place_of(job),
                       follow_ups(*what->kind, [&](std::string_view name) { return settings.find_action(name); })};
  return !steps.finished() && steps.current().idempotent;
}

/// Why a job cannot go on; nothing if it can.
std::optional<store::job_ends> reason_to_end(const store::unfinished_job& job, const store::guest_index& guests,
                                             const config& settings) {
  const auto end = [](std::string why, rpc::job_code code) {
    return store::job_ends{rpc::job_status::error, std::move(why), code};
  };
  const auto what = settings.find_action(job.job.action);
  if (!what)
    return end(job.job.action + ": Not configured", rpc::job_code::failed);
  if (job.job.guest_id != agent_runner && !guests.find(job.job.guest_id))
    return end("the guest is gone", rpc::job_code::guest_deleted);
  if (!job.call_was_out || may_be_sent_again(job, what, settings))
    return std::nullopt;
  return end("interrupted by an agent restart in stage " + std::to_string(job.stage + 1) + " (" + job.stage_name + ')',
             rpc::job_code::interrupted);
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

/// The guests that a new boot of the host starts.
std::vector<std::string> guests_to_start(const store::guest_index& guests) {
  std::vector<std::string> all;
  for (const auto& one : guests.all()) {
    const auto guest = rpc::decode_guest(one->doc);
    const auto rule = rpc::power_of(guest).boot;
    if (rule == rpc::boot_policy::on || (rule == rpc::boot_policy::last && guest.wanted == "on"))
      all.push_back(guest.id);
  }
  return all;
}

/// An agent that has seen no boot yet only notes it: it may be an update of an agent whose guests run. That a full disk
/// does not take the note is no reason not to serve.
void note_first_boot(store::journal& journal, const std::string& boot) {
  try {
    const batch write{journal};
    write.begin();
    journal.note_boot(boot, {});
    write.commit();
  } catch (const rpc::failure&) { // NOLINT: the next start notes it
  }
}

void note_boot(store::journal& journal, const store::guest_index& guests) {
  const auto now = rpc::host_now().boot;
  const auto last = journal.boot_id();
  if (last == now)
    return;
  if (last.empty())
    return note_first_boot(journal, now);
  const batch write{journal};
  write.begin();
  journal.note_boot(now, guests_to_start(guests));
  write.commit();
}

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
    if (auto why = reason_to_end(job, guests, settings)) {
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
  note_boot(journal, guests);
  for (const auto& one : ended)
    tell_end(measured, one.what, job_outcome::interrupted, one.job, one.request_id);
  return going_on;
}

} // namespace mistify::actors
