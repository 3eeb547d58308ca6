#pragma once

#include "actors/metrics.hpp"
#include "rpc/model/model.hpp"

#include <string>

namespace mistify::actors {

/// Tells everybody who keeps account that a job has ended: the counters, the log, and the audit. `job` is as it was
/// recorded at its end; of jobs that ended beside another one its times may be unset. `request_id` names the request that
/// queued it. Thread-safe.
void tell_end(job_metrics& counted, const action_kind& what, job_outcome how, const rpc::job& job,
              const std::string& request_id, const job_times& times = {});

/// A job as it is told about where the log ended it and nobody read it back: without times.
rpc::job unrecorded_end(const action_kind& what, const std::string& id, const std::string& guest_id,
                        const std::string& message, rpc::job_code code);

} // namespace mistify::actors
