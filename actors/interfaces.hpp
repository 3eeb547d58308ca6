#pragma once

#include "actors/messages.hpp"

#include <memory>

/// What each actor answers. Any reply may be an error made by `to_error`.
namespace mistify::actors {

/// The one writer of the database. Replies after the commit.
using job_log_actor = caf::typed_actor<
  // Queues a job for a guest or for `agent`.
  caf::replies_to<queue_atom, store::new_job>::with<store::queued_job>,
  // Stores a guest and queues its create.
  caf::replies_to<create_atom, rpc::guest, store::new_job>::with<store::queued_job>,
  // Takes a step of a job, with what it did to the guest.
  caf::replies_to<record_atom, step_ptr>::with<store::recorded_step>,
  // Takes the state that a guest went into by itself. Errors: not_found, conflict while a job of it has not ended.
  caf::replies_to<report_atom, std::string, std::string>::with<store::reported_state>,
  // Takes what a running job's stage tells of itself. Errors: not_found, conflict for a job that does not run.
  caf::replies_to<progress_atom, std::string, std::string>::with<rpc::job>,
  // Changes a guest's metadata; replies the whole map.
  caf::replies_to<patch_atom, std::string, rpc::metadata_patch>::with<rpc::metadata_map>,
  // Changes the hypervisor's metadata; replies the whole map.
  caf::replies_to<patch_atom, rpc::metadata_patch>::with<rpc::metadata_map>,
  // Replies true when the database has taken a write, now or a moment ago.
  caf::replies_to<probe_atom>::with<bool>,
  // First message: writes what the last stop left to be written; replies whether that went well. If not, it is tried
  // again until it does, and nothing else is written before.
  caf::replies_to<restore_atom>::with<bool>,
  // To itself: try that again.
  caf::reacts_to<again_atom>,
  // To itself: commit what has gathered.
  caf::reacts_to<commit_atom>,
  // Is it there? Replies true, for the watchdog.
  caf::replies_to<alive_atom>::with<bool>,
  // What it is at; the flag asks for whole lists and the history.
  caf::replies_to<status_atom, bool>::with<actor_status>>;

/// One endpoint of a sub-agent.
using service_actor = caf::typed_actor<
  // Calls the sub-agent; replies the result, JSON text.
  caf::replies_to<call_atom, service_call>::with<std::string>,
  // Takes one of the places for calls, for a download that somebody else runs: of that method, for that guest.
  caf::replies_to<place_atom, std::string, std::string>::with<lease>,
  // Waits for a job's place; replies its claim, which then holds one. Errors: queue_full, cancelled.
  caf::replies_to<place_atom, place_request>::with<place_ptr>,
  // A call or a download is over: its number, and the error if there was one.
  caf::reacts_to<left_atom, std::uint64_t, std::string>,
  // A place is free, or jobs are not held any more.
  caf::reacts_to<again_atom>,
  // To itself: drop waiting calls whose time is over.
  caf::reacts_to<sweep_atom>,
  // What it is at; the flag asks for whole lists and the history.
  caf::replies_to<status_atom, bool>::with<actor_status>>;

/// A service and the places that its callers share with it.
struct service_handle {
  service_actor actor;
  std::shared_ptr<places> gate;
};

/// Everything that happens to one guest, or to the hypervisor (the runner `agent`).
using runner_actor = caf::typed_actor<
  // Runs an info pipeline; replies its last result, JSON text.
  caf::replies_to<info_atom, info_request>::with<std::string>,
  // Queues a job.
  caf::replies_to<queue_atom, job_request>::with<store::queued_job>,
  // Stores the guest of this runner and queues its create.
  caf::replies_to<create_atom, rpc::guest, job_request>::with<store::queued_job>,
  // Grants the places that a download needs.
  caf::replies_to<stream_atom, action_ptr>::with<stream_grant>,
  // Ends a job that is queued or runs; replies the job as it is then. Errors: conflict if it has ended.
  caf::replies_to<cancel_atom, std::string>::with<rpc::job>,
  // Replies true when the job has ended on disk. Errors: not_found if this runner does not have it (any more).
  caf::replies_to<wait_atom, std::string>::with<bool>,
  // The download of that number is over; its place is free.
  caf::reacts_to<left_atom, std::uint64_t>,
  // To itself: a pause (before a retry, or for a database that refuses writes) is over; the number tells which.
  caf::reacts_to<again_atom, std::uint64_t>,
  // Takes the jobs over that had not ended at the last stop. First message of a restored runner.
  caf::reacts_to<restore_atom, runner_restore>,
  // No stage is begun from now on; replies when none is under way.
  caf::replies_to<drain_atom>::with<bool>,
  // What it is at; the flag asks for whole lists and the history.
  caf::replies_to<status_atom, bool>::with<actor_status>>;

/// Finds the runner of a guest and hands the message on; the runner replies. Errors: not_found.
using front_actor = caf::typed_actor<
  caf::replies_to<info_atom, std::string, info_request>::with<std::string>,
  caf::replies_to<queue_atom, std::string, job_request>::with<store::queued_job>,
  // The only message that makes a runner.
  caf::replies_to<create_atom, rpc::guest, job_request>::with<store::queued_job>,
  caf::replies_to<stream_atom, std::string, action_ptr>::with<stream_grant>,
  caf::replies_to<cancel_atom, std::string, std::string>::with<rpc::job>,
  caf::replies_to<wait_atom, std::string, std::string>::with<bool>,
  // From a runner: its guest is gone; it is not to be found any more. Replies true: nothing more comes.
  caf::replies_to<retire_atom, std::string, runner_actor>::with<bool>,
  // Takes over the jobs that had not ended at the last stop. First message.
  caf::reacts_to<restore_atom, jobs_restore>,
  // No stage is begun from now on; replies when none is under way anywhere.
  caf::replies_to<drain_atom>::with<bool>,
  // Is it there? Replies true, for the watchdog.
  caf::replies_to<alive_atom>::with<bool>,
  // What it is at; the flag asks for whole lists and the history.
  caf::replies_to<status_atom, bool>::with<actor_status>>;

/// Looks at all actors.
using inspector_actor = caf::typed_actor<
  // What all actors are at, what is stuck first.
  caf::replies_to<look_atom>::with<look_ptr>,
  // The one of that id, with whole lists and its history. Errors: not_found.
  caf::replies_to<look_atom, std::string>::with<look_ptr>,
  // To itself: who has not answered the look of that number by now is silent.
  caf::reacts_to<late_atom, std::uint64_t>>;

} // namespace mistify::actors
