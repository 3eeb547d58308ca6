#pragma once

#include "actors/messages.hpp"

#include <memory>

/// The message interfaces of the actors. Any reply may be an error made by `to_error`.
namespace mistify::actors {

class service_desk;

/// The only writer of the database. Replies after the commit.
using job_log_actor = caf::typed_actor<
  // Queues a job for a guest or for `agent`. The log may call the listener, too, after it has sent the reply.
  caf::replies_to<queue_atom, store::new_job, stored_listener>::with<store::queued_job>,
  // Stores a guest and queues its create; likewise.
  caf::replies_to<create_atom, rpc::guest, store::new_job, stored_listener>::with<store::queued_job>,
  // Records a step of a job and its effect on the guest.
  caf::replies_to<record_atom, step_ptr>::with<store::recorded_step>,
  // Records a state that no job made, and its reason, if the guest's tag is one of the last text (If-Match); with its audit
  // entry or null, which counts if that changes the guest. Errors: not_found, conflict while a job of the guest is unfinished.
  caf::replies_to<report_atom, std::string, std::string, std::string, std::string,
                  store::audit_ptr>::with<store::reported_state>,
  // Records the progress of a running job's stage. Errors: not_found, conflict for a job that is not running.
  caf::replies_to<progress_atom, std::string, store::stage_report>::with<rpc::job>,
  // The guest is not to be started any more because of the host's boot.
  caf::replies_to<boot_atom, std::string>::with<bool>,
  // Adds an event about a guest that says what the agent does, or does not, by itself.
  caf::replies_to<note_atom, std::string, std::string>::with<bool>,
  // Changes a guest's metadata, if its tag is one of the last text (If-Match), with its audit entry or null; replies with
  // the whole map.
  caf::replies_to<patch_atom, std::string, rpc::metadata_patch, store::audit_ptr, std::string>::with<rpc::metadata_map>,
  // Changes the hypervisor's metadata, with its audit entry or null; replies with the whole map.
  caf::replies_to<patch_atom, rpc::metadata_patch, store::audit_ptr>::with<rpc::metadata_map>,
  // Adds, removes or changes a bearer token, with its audit entry or null; replies it as it is then, or was. Errors:
  // not_found, conflict.
  caf::replies_to<token_atom, store::token_change, store::audit_ptr>::with<store::token>,
  // Adds an entry to the audit of something that changed nothing in the database.
  caf::replies_to<audit_atom, store::audit_ptr>::with<bool>,
  // Begins or ends maintenance, with its audit entry or null; replies it as it is then.
  caf::replies_to<patch_atom, store::maintenance, store::audit_ptr>::with<store::maintenance>,
  // Replies true if the database has committed a write, now or within the last seconds.
  caf::replies_to<probe_atom>::with<bool>,
  // First message: records the outcome of jobs interrupted by the last stop; replies whether that succeeded. If not,
  // it is retried until it does, and nothing else is written before.
  caf::replies_to<restore_atom>::with<bool>,
  // To itself: retry the recovery.
  caf::reacts_to<resume_atom>,
  // To itself: commit the batch.
  caf::reacts_to<commit_atom>,
  // Replies true; for the watchdog.
  caf::replies_to<alive_atom>::with<bool>,
  // Replies with the status; the flag requests whole lists and the history.
  caf::replies_to<status_atom, bool>::with<actor_status>>;

/// One endpoint of a sub-agent.
using service_actor = caf::typed_actor<
  // Calls the sub-agent; replies with the result.
  caf::replies_to<call_atom, service_call>::with<rpc::json::document>,
  // Acquires a slot for a stream that runs outside of the actor: method, guest, and whether it may wait. Errors:
  // queue_full, also where it may not wait and no slot is free.
  caf::replies_to<acquire_slot_atom, std::string, std::string, bool>::with<lease>,
  // Waits for a job's place; replies its claim, which then holds one. Errors: queue_full, cancelled.
  caf::replies_to<acquire_slot_atom, place_request>::with<place_ptr>,
  // Begins what waits for places that are free.
  caf::reacts_to<acquire_slot_atom>,
  // Work waits for a place from now on: sweeps it.
  caf::reacts_to<resume_atom>,
  // To itself: drop waiting work whose time is over.
  caf::reacts_to<sweep_atom>,
  // A call failed: the error to be remembered, and the job that it belonged to, or empty.
  caf::reacts_to<note_atom, std::string, std::string>,
  // Replies with the status; the flag requests whole lists and the history.
  caf::replies_to<status_atom, bool>::with<actor_status>>;

/// A service, the places that its callers share with it, and the desk that calls past its actor go to.
struct service_handle {
  service_actor actor;
  std::shared_ptr<places> gate;
  std::shared_ptr<service_desk> desk;
};

/// The actor of one guest, or of the hypervisor (the runner `agent`).
using runner_actor = caf::typed_actor<
  // Runs an info pipeline; replies with its result.
  caf::replies_to<info_atom, info_request>::with<rpc::json::document>,
  // A place for info calls is free.
  caf::reacts_to<resume_atom>,
  // A call that passed the runner by failed: what is to be remembered of it.
  caf::reacts_to<note_atom, std::string>,
  // Queues a job.
  caf::replies_to<queue_atom, job_request>::with<store::queued_job>,
  // Stores the guest of this runner and queues its create.
  caf::replies_to<create_atom, rpc::guest, job_request>::with<store::queued_job>,
  // Acquires the slots that a download needs.
  caf::replies_to<stream_atom, action_ptr>::with<stream_grant>,
  // Cancels a queued or running job; replies with the job. Errors: conflict if it has ended.
  caf::replies_to<cancel_atom, std::string>::with<rpc::job>,
  // Replies true when the job's end is committed. Errors: not_found if this runner does not have the job (any more).
  caf::replies_to<wait_atom, std::string>::with<bool>,
  // The download of that number has ended. Releases its slot.
  caf::reacts_to<release_slot_atom, std::uint64_t>,
  // To itself: a pause (before a retry, or while the database refuses writes) has ended; the number identifies it.
  caf::reacts_to<resume_atom, std::uint64_t>,
  // First message of a restored runner: resumes the jobs that were unfinished at the last stop.
  caf::reacts_to<restore_atom, runner_restore>,
  // Starts no further stage; replies when none is in flight.
  caf::replies_to<drain_atom>::with<bool>,
  // Replies with the status; the flag requests whole lists and the history.
  caf::replies_to<status_atom, bool>::with<actor_status>>;

/// Forwards messages to the runner of a guest; the runner replies. Errors: not_found.
using front_actor = caf::typed_actor<
  caf::replies_to<info_atom, std::string, info_request>::with<rpc::json::document>,
  caf::reacts_to<note_atom, std::string, std::string>,
  caf::replies_to<queue_atom, std::string, job_request>::with<store::queued_job>,
  // The only message that creates a runner.
  caf::replies_to<create_atom, rpc::guest, job_request>::with<store::queued_job>,
  caf::replies_to<stream_atom, std::string, action_ptr>::with<stream_grant>,
  caf::replies_to<cancel_atom, std::string, std::string>::with<rpc::job>,
  caf::replies_to<wait_atom, std::string, std::string>::with<bool>,
  // From a runner whose guest is deleted: removes it. Replies true when no further messages will follow.
  caf::replies_to<retire_atom, std::string, runner_actor>::with<bool>,
  // First message: resumes the jobs that were unfinished at the last stop.
  caf::reacts_to<restore_atom, jobs_restore>,
  // Starts no further stage; replies when no runner has one in flight.
  caf::replies_to<drain_atom>::with<bool>,
  // Replies true; for the watchdog.
  caf::replies_to<alive_atom>::with<bool>,
  // Replies with the status; the flag requests whole lists and the history.
  caf::replies_to<status_atom, bool>::with<actor_status>>;

/// The membership of this host in a cluster.
using cluster_actor = caf::typed_actor<
  // Removes the host from the cluster, until the next start; replies true. The flag: although guests live here. Errors:
  // conflict, unavailable.
  caf::replies_to<leave_atom, bool>::with<bool>,
  // To itself: the removal is over; its error, empty if it succeeded.
  caf::reacts_to<resume_atom, std::string>,
  // Replies with the status; the flag requests whole lists and the history.
  caf::replies_to<status_atom, bool>::with<actor_status>>;

/// Keeps the figures of the host.
using host_actor = caf::typed_actor<
  // Fetches them unless they are fresh; replies within 2 s whether they are now.
  caf::replies_to<refresh_atom>::with<bool>,
  // To itself: fetch, and again later.
  caf::reacts_to<resume_atom>,
  // Sent to itself: answers the requests that have waited long enough.
  caf::reacts_to<late_atom>,
  // Replies with the status; the flag requests whole lists and the history.
  caf::replies_to<status_atom, bool>::with<actor_status>>;

/// Keeps the metrics of guests.
using metrics_actor = caf::typed_actor<
  // Somebody wants them: fetch, unless that is running or began recently.
  caf::reacts_to<refresh_atom>,
  // To itself: something is due; the number identifies the timer.
  caf::reacts_to<resume_atom, std::uint64_t>,
  // The agent stops: asks nothing from now on.
  caf::reacts_to<drain_atom>,
  // Replies with the status; the flag requests whole lists and the history.
  caf::replies_to<status_atom, bool>::with<actor_status>>;

/// Starts guests by itself: after a boot of the host, and those that went off without a wish.
using power_actor = caf::typed_actor<
  // First message: the guests to be started because of the host's boot.
  caf::reacts_to<boot_atom, boot_plan>,
  // What happened to guests.
  caf::reacts_to<report_atom, power_news>,
  // To itself: something is due.
  caf::reacts_to<resume_atom, std::uint64_t>,
  // The agent stops: starts nothing from now on.
  caf::reacts_to<drain_atom>,
  // Replies with the status; the flag requests whole lists and the history.
  caf::replies_to<status_atom, bool>::with<actor_status>>;

/// Collects the status of all actors.
using inspector_actor = caf::typed_actor<
  // Replies with the status of all actors, stuck ones first.
  caf::replies_to<inspect_atom>::with<look_ptr>,
  // Replies with the status of one actor, with whole lists and its history. Errors: not_found.
  caf::replies_to<inspect_atom, std::string>::with<look_ptr>,
  // To itself: actors that have not answered the look of that number by now are reported as silent.
  caf::reacts_to<late_atom, std::uint64_t>>;

} // namespace mistify::actors
