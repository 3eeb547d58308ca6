#pragma once

#include "actors/config/config.hpp"
#include "actors/service/places.hpp"
#include "rpc/base/cancellation.hpp"
#include "store/journal.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// What is asked of the actors, as values: they travel in messages, and nothing here knows CAF.
namespace mistify::actors {

/// A synchronous question that a pipeline answers.
struct info_request {
  action_ptr what;
  std::string request;         ///< JSON text for image and snapshot pipelines
  bool background = false;     ///< gives way: refused with `queue_full` where it would have others wait, and cut short
  std::string request_id = {}; ///< of the HTTP request, for the log and the sub-agents; empty: none
};

/// An action to be queued as a job.
struct job_request {
  action_ptr what;
  std::string request;         ///< JSON text for image and snapshot pipelines
  std::string idempotency_key; ///< empty: none
  std::string request_digest;
  std::string request_id = {}; ///< as above
  /// When its asker gives up; it is not queued after that.
  std::chrono::steady_clock::time_point expires = std::chrono::steady_clock::time_point::max();
};

/// The `request` of a delete that goes on past stages that fail, and takes the record in any case.
inline constexpr std::string_view forced_delete = R"({"force":true})";

/// A step of a job for the log. Shared: whoever sends it keeps it until the log has taken it, and a guest is in it.
using step_ptr = std::shared_ptr<const store::job_step>;
inline step_ptr share(store::job_step step) {
  return std::make_shared<const store::job_step>(std::move(step));
}

/// One call to a sub-agent.
struct service_call {
  std::string method, params;
  std::chrono::milliseconds timeout{0}; ///< of the answer; zero: none
  bool may_expire = false;              ///< the time-out covers the wait for a free place too: somebody is waiting
  rpc::cancellation cancel;
  bool background = false;     ///< made only where a place is to spare, else refused with `queue_full`
  std::string request_id = {}; ///< goes along as a header
  std::string guest{}, job{};  ///< for whom: shown to people who look inside; the job goes along as a header too
  bool own_place = false;      ///< does not count against the service's `max_pending`: its caller bounds such calls
  place_ptr place{};           ///< holds the place that the call uses; null: it gets one when its turn comes
};

/// Holds the jobs of all services while a copy exists.
using all_jobs_hold = std::vector<job_hold>;

/// A job's claim that waits for its turn at a service.
struct place_request {
  place_ptr claim;
  std::int64_t accepted = 0;  ///< the job's place in the order of acceptance
  std::string method;         ///< of the stage that waits; shown like the guest and the job
  std::string guest{}, job{}; ///< for whom
  rpc::cancellation cancel{}; ///< drops the request
  all_jobs_hold hold{};       ///< of a job that was restored: until the service has the request
};

/// A place that somebody outside of the actors holds, and gives back by letting the last copy go.
using lease = std::shared_ptr<const void>;

/// What a download needs: places in the runner's throttle and at the service, and where to get the bytes.
struct stream_grant {
  lease places;
  std::string service;
  std::chrono::milliseconds stall{0}; ///< longest wait between two pieces
};

/// The jobs of a runner that had not ended at the last stop, in their order.
struct runner_restore {
  std::vector<store::unfinished_job> jobs;
  all_jobs_hold hold{}; ///< goes along with the requests for their places
};

/// The jobs of all runners that had not ended at the last stop, in the order of their acceptance.
struct jobs_restore {
  std::vector<store::unfinished_job> jobs;
  all_jobs_hold hold{}; ///< as above
};

} // namespace mistify::actors
