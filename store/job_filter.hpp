#pragma once

#include "rpc/model/model.hpp"

#include <functional>
#include <optional>
#include <string>

namespace mistify::store {

/// Which jobs a reader asks for; members that are unset or empty do not matter.
struct job_filter {
  std::string guest, action;
  std::optional<rpc::job_status> status{};
  std::optional<rpc::job_code> code{};
  std::optional<rpc::timestamp> since{}, before{}; ///< of the queueing; `before` itself does not count

  bool is_for_guest_only() const noexcept { return action.empty() && !status && !code && !since && !before; }
};

/// Sees one job after the other; returns false to end that. `last_labels`: those that the guest had when this job
/// deleted it; null if it did not.
using job_visitor = std::function<bool(const rpc::job&, const rpc::metadata_map* last_labels)>;

/// True if the job is one that the filter asks for.
inline bool matches(const job_filter& which, const rpc::job& job) {
  return (which.guest.empty() || which.guest == job.guest_id) && (which.action.empty() || which.action == job.action) &&
         (!which.status || *which.status == job.status) && (!which.code || *which.code == job.code) &&
         (!which.since || job.queued_at >= *which.since) && (!which.before || job.queued_at < *which.before);
}

} // namespace mistify::store
