#pragma once

#include "actors/config/config.hpp"
#include "actors/metrics.hpp"
#include "store/guest_index.hpp"
#include "store/journal.hpp"

#include <vector>

namespace mistify::actors {

/// What a job that fails does to its guest: a create leaves it behind in state `error`, for everybody to see.
store::guest_change change_when_failed(const action_kind& kind);

/// Decides what becomes of the jobs that had not ended when the agent did, before anything else happens. A job of which
/// no call was out goes on, and so does one whose call may be sent again (`idempotent`); nobody knows what came of any
/// other call, so those jobs end, in one commit. Returns those that go on, in their order. Throws
/// `failure{storage_failed}`.
std::vector<store::unfinished_job> recover_jobs(store::journal& journal, const store::guest_index& guests,
                                                const config& settings, job_metrics& measured);

} // namespace mistify::actors
