#pragma once

#include "actors/config/config.hpp"
#include "actors/metrics.hpp"
#include "actors/requests.hpp"
#include "store/guest_index.hpp"
#include "store/journal.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mistify::actors {

/// What a job that fails does to its guest: a create leaves it behind in state `error`, for everybody to see;
/// an adoption leaves no guest, since it made nothing.
store::guest_change change_when_failed(const action_kind& kind);

/// Returns the pipeline of an action; null if it is not configured.
using action_finder = std::function<action_ptr(std::string_view name)>;

/// Why a job that had not ended at the last stop cannot go on; nothing if it can.
std::optional<store::job_ends> reason_to_end(const store::unfinished_job& job, const store::guest_index& guests,
                                             const action_finder& find_action);

/// Why the current stage of a job that goes on is not called again, but passed over as failed: nobody knows what came of
/// its call, and the job is a forced delete. Empty: it is called.
std::string stage_to_pass_over(const store::unfinished_job& job, const action_finder& find_action);

/// Decides what becomes of the jobs that had not ended when the agent did, before anything else happens. A job of which
/// no call was out goes on, and so does one whose call may be sent again: the stage is `idempotent`, or has its time
/// and has asked for a repetition before. Nobody knows what came of any other call, so those jobs end, in one commit;
/// only a forced delete goes on behind that stage, as behind any that fails.
/// Returns those that go on, in their order. Throws `failure{storage_failed}`.
std::vector<store::unfinished_job> recover_jobs(store::journal& journal, const store::guest_index& guests,
                                                const config& settings, job_metrics& measured);

/// Records a boot of the host that the log has not seen, and returns the guests that are still to be started because of
/// the latest one. An agent that has seen no boot before only notes it: it may be an update of an agent whose guests
/// run. Nothing is recorded for an empty id. Throws `failure{storage_failed}`.
boot_plan note_boot(store::journal& journal, const store::guest_index& guests, const std::string& boot);

} // namespace mistify::actors
