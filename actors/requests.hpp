#pragma once

#include "actors/config/config.hpp"
#include "actors/service/places.hpp"
#include "rpc/base/cancellation.hpp"
#include "store/journal.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Requests to actors. Plain values that travel in messages; independent of CAF.
namespace mistify::actors {

/// A synchronous request for an info pipeline.
struct info_request {
  action_ptr what;
  std::string request;         ///< JSON text for image and snapshot pipelines
  bool background = false;     ///< low priority: refused with `queue_full` if others would have to wait, and cut short
  std::string request_id = {}; ///< of the HTTP request, for the log and the sub-agents; empty: none
};

/// How long a request for such a pipeline may take: the time-outs of its stages and a second; 24 h if one has none.
std::chrono::steady_clock::duration longest_wait_for(const action& what);

/// An action to queue as a job.
struct job_request {
  action_ptr what;
  std::string request;         ///< JSON text for image and snapshot pipelines; of guest actions see guest_wish.hpp
  std::string idempotency_key; ///< empty: none
  std::string request_digest;
  std::string request_id = {}; ///< as above
  std::string if_match = {};   ///< the request's If-Match; empty: none
  /// The time at which the requester gives up; the job is not queued afterwards.
  std::chrono::steady_clock::time_point expires = std::chrono::steady_clock::time_point::max();
  store::audit_ptr audit = {}; ///< written with the job; null: not audited
  std::string user = {};       ///< of the client; `agents_user` for the agent's own jobs
  store::own_start own = store::own_start::none;
};

/// The user of jobs that the agent queues by itself.
inline constexpr std::string_view agents_user = "agent";

/// The `request` of a delete that continues after failed stages and deletes the record in any case.
inline constexpr std::string_view forced_delete = R"({"force":true})";

/// The log's thread may call it with a job that it has stored. It must not block; it may be null.
using stored_listener = std::function<void(const store::queued_job&)>;

/// A step of a job for the log. Shared: the sender keeps it until the log has recorded it, and it contains a guest.
using step_ptr = std::shared_ptr<const store::job_step>;
inline step_ptr share(store::job_step step) {
  return std::make_shared<const store::job_step>(std::move(step));
}

/// One call to a sub-agent.
struct service_call {
  std::string method, params;
  std::chrono::milliseconds timeout{0}; ///< of the answer; zero: no limit
  bool may_expire = false;              ///< the time-out includes the wait for a free slot: a client is waiting
  rpc::cancellation cancel;
  bool background = false;     ///< only made if a slot is spare, otherwise refused with `queue_full`
  std::string request_id = {}; ///< sent as a header
  std::string guest{}, job{};  ///< shown in the status of the actors; the job is sent as a header too
  bool own_place = false;      ///< not counted against the service's `max_pending`: the caller bounds such calls
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

/// A slot held outside of the actors. Destroying the last copy releases it.
using lease = std::shared_ptr<const void>;

/// The resources of a download: slots in the runner's throttle and at the service, and the source of the bytes.
struct stream_grant {
  lease places;
  std::string service;
  std::chrono::milliseconds stall{0}; ///< longest wait between two reads
};

/// Events that the agent may act on by itself.
struct power_news {
  std::vector<store::event_ptr> events;
};

/// The guests that are still to be started because the host has booted.
struct boot_plan {
  struct start {
    std::string guest;
    std::string job = {}; ///< the start of it that had not ended at the last stop; empty: none
  };
  std::vector<start> starts;
};

/// The unfinished jobs of a runner at the last stop, in order.
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
