#pragma once

#include "rpc/base/host_time.hpp"
#include "rpc/model/model.hpp"
#include "store/audit.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

/// What goes into the journal about jobs and guests, and what comes out.
namespace mistify::store {

/// Stage `index` (from 0) is about to be called; `name` is for people: "Libvirt.Reboot".
struct stage_starts {
  std::size_t index = 0;
  std::string name;
  std::string service = {};
  std::size_t of = 0;      ///< stages of the pipeline; 0: not known
  rpc::host_time due = {}; ///< until when the stage may ask to be run again; unset: as often as `limits.retries` says
  /// From this stage on the pipeline is another action's, as the stage before it was not done in time; 0: never.
  std::size_t detour = 0;
};

/// Why the agent starts a guest by itself. The job is refused if that does not hold any more.
enum class own_start : std::uint8_t {
  none,
  boot,   ///< the guest waits for its start because of the host's boot
  restart ///< it went off, and is wished on
};

/// A job to be queued.
struct new_job {
  std::string id, guest_id, action;
  /// JSON text that the stages need: the requests of image and snapshot jobs, the client's wish of guest actions and of
  /// jobs that change a guest.
  std::string request;
  std::string idempotency_key;             ///< empty: none
  std::string request_digest;              ///< identifies the client's request, to detect repetitions
  std::string request_id = {};             ///< names the client's request in logs
  std::optional<stage_starts> begins = {}; ///< set if no job is ahead and this stage starts at once
  bool at_once = false;      ///< the wish needs no stage: the job is complete in the commit that queues it
  std::string if_match = {}; ///< the request's If-Match: the job is queued only for a guest with such a tag; empty: any
  /// The time at which the requester gives up. Checked by the caller, not by the journal.
  std::chrono::steady_clock::time_point expires = std::chrono::steady_clock::time_point::max();
  audit_ptr audit = {};    ///< written with the job if it is queued and no repetition; null: not audited
  std::string user = {};   ///< of the client; "agent" for the agent's own jobs
  std::string wanted = {}; ///< "on", "off": what the guest is wished to be from now on; empty: as before
  bool raises = false;     ///< `request` replaces that of an unfinished delete
  bool preempts = false;   ///< ends what runs and waits for the guest, except for deletes and adoptions
  own_start own = own_start::none;
  /// Why no further job of the guest is taken. What needs no place is answered all the same: a repetition, and a job that is
  /// complete at once. Empty: there is room.
  std::string no_room = {};
};

/// A queued job as it was before it began, and the guest as it was then (empty for `agent`).
struct queued_job {
  rpc::job job;
  std::string guest_doc;
  bool ended = false;                   ///< it was complete at once, and does not run
  bool repeated = false;                ///< nothing was queued: this is the response to an earlier, identical request
  std::int64_t seq = 0;                 ///< the job's place in the order of queueing; unset for a repeated one
  std::vector<rpc::job> preempted = {}; ///< the jobs that this one ended
};

// -- what a step of a job does to its guest ------------------------------------------------------------------------

struct guest_unchanged {};

/// The sub-agent returned a guest. It replaces the stored one, except that metadata changes made by clients since
/// `sent_doc` win (a three-way merge). A deleted guest is not restored.
struct guest_returned {
  std::string sent_doc; ///< JSON text that the stage was given
  rpc::guest guest;
};

/// Deletes the guest's record. Every other unfinished job of the guest ends in `error` ("guest deleted").
struct guest_removed {};

struct guest_state {
  std::string state, reason = {};
};

using guest_change = std::variant<guest_unchanged, guest_returned, guest_removed, guest_state>;

// -- where the job goes next ---------------------------------------------------------------------------------------

/// Stage `index` is next, but its call is not in flight: between two attempts, or because the agent stops.
struct stage_paused {
  std::size_t index = 0;
  std::size_t detour = 0; ///< as in `stage_starts`
};

struct job_ends {
  rpc::job_status status = rpc::job_status::complete; ///< complete or error
  std::string message;
  rpc::job_code code = rpc::job_code::none; ///< of an error; `none` there counts as `failed`
};

/// The next job in the guest's queue begins.
struct job_start {
  std::string job_id;
  stage_starts stage;
};

/// One step of a job: its effect on the guest and the job's next state. Both commit together.
struct job_step {
  std::string job_id;
  guest_change change;
  std::variant<stage_starts, stage_paused, job_ends> next;
  std::string skipped_because = {};   ///< why the finished stage failed, if the job continues regardless
  std::optional<job_start> then = {}; ///< only with an end; in the same step, so that it takes one commit
  bool timed_out = false;             ///< the finished stage was not done in time, and the job goes on without it
  std::optional<new_job> queues = {}; ///< only with an end; a job of the same guest that is queued in the same step
};

struct recorded_step {
  rpc::job job;            ///< as it is now
  std::string guest_doc;   ///< as it is now; empty if there is none
  bool then_began = false; ///< false if the job of `then` has ended and so did not begin
  std::int64_t queued = 0; ///< the place of the job of `queues` in the order of queueing; 0 if it was not queued
};

/// The result of a reported state.
struct reported_state {
  std::string guest_doc; ///< as it is now
  std::string before;    ///< the previous state; empty if nothing changed
};

/// What a sub-agent reports of a running stage. What is absent stays as it is.
struct stage_report {
  std::string message; ///< empty: absent
  std::optional<rpc::job_progress> progress = {};
};

/// A job that had not ended when the database was opened. Listed in the order of queueing.
struct unfinished_job {
  rpc::job job;
  std::string request;
  std::size_t stage = 0;       ///< the current or next stage; 0 before the job has begun
  std::string stage_name;      ///< of the call in flight: "Libvirt.Reboot"
  bool call_was_out = false;   ///< stage_starts was recorded and nothing after it: the outcome of the call is unknown
  std::string request_id = {}; ///< of the request that queued it
  std::int64_t seq = 0;        ///< position in the order of queueing
  rpc::host_time due = {};     ///< of the current stage, as in `stage_starts`
  std::size_t detour = 0;      ///< likewise
};

} // namespace mistify::store
