#pragma once

#include "rpc/base/error.hpp"
#include "rpc/base/host_time.hpp"
#include "rpc/model/model.hpp"
#include "store/audit.hpp"
#include "store/event_feed.hpp"
#include "store/guest_index.hpp"
#include "store/host_board.hpp"
#include "store/tokens.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace mistify::store {

/// Bounds on sizes. A step beyond one throws: `queue_full` for counts, `too_large` for bytes from a client,
/// `sub_agent_failed` for bytes from a sub-agent. Texts are cut. The message names the bound.
struct journal_bounds {
  std::size_t guests = 20'000; ///< living guests
  /// Of a guest's document; one over the bound may be replaced by one not larger.
  std::size_t guest_bytes = 64 * 1024;
  std::size_t metadata_bytes = 256 * 1024; ///< of the hypervisor's metadata as JSON; likewise
  std::size_t message_bytes = 4096;        ///< of a job's message and of the text of an event
};

/// What may change while the journal runs; see `journal_settings`.
struct journal_limits {
  journal_bounds bounds;
  std::size_t keep_jobs = 1000;
  std::chrono::seconds keep_for{0};
  std::size_t most_jobs = 100'000, keep_events = 10'000;
};

struct journal_settings {
  std::string path;                 ///< of the database file; created with its folder's permissions if absent
  std::size_t keep_jobs = 1000;     ///< ended jobs kept, the latest to end; unfinished jobs are always kept
  std::chrono::seconds keep_for{0}; ///< jobs that ended less than this ago are kept beyond `keep_jobs`
  std::size_t most_jobs = 100'000;  ///< ended jobs kept at most, however young
  std::function<std::chrono::steady_clock::time_point()> steady; ///< for `keep_for`; the system's if absent
  std::function<rpc::timestamp()> now;                           ///< the clock, wall time; the system's if absent
  std::function<void(std::string_view message)> warn; ///< told of each broken row that is set aside at the start
  std::size_t keep_events = 10000;                    ///< of the log of events, the newest; a tenth more may be there
  event_feed* events = nullptr;                       ///< hears of each event after its commit; may be absent
  token_index* tokens = nullptr;                      ///< receives the tokens after each commit; may be null
  host_board* host = nullptr;                         ///< receives the host's state after each commit; may be null
  limits_source limits = {};                          ///< of admission; null: every guest is admitted
  std::size_t max_bytes = 0;                          ///< the database grows no further, as on a full disk; 0: no bound
  journal_bounds bounds = {};
  std::function<journal_limits()>
    limits_now;                        ///< asked for at each batch, on the journal's thread; null: as they are here
  std::function<void()> before_commit; ///< for tests: injects a failing commit by throwing a failure

  void take(const journal_limits& from) {
    bounds = from.bounds;
    keep_jobs = from.keep_jobs;
    keep_for = from.keep_for;
    most_jobs = from.most_jobs;
    keep_events = from.keep_events;
  }
};

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

/// The only writer. Steps are added to a batch; one commit makes the whole batch durable (WAL, synchronous=FULL),
/// then publishes it to the directory. Belongs to one thread.
///
/// A step that throws leaves nothing of itself in the batch; the other steps remain. A commit that fails throws
/// `failure{storage_failed}` and leaves nothing of the batch, on disk or in memory.
class journal {
public:
  /// Opens or creates the database, migrates its schema and fills `published`. Throws `failure{storage_failed}` with
  /// one clear line, and leaves the file unchanged, if it is corrupt, of a newer schema, in use by another agent, or
  /// not writable.
  journal(journal_settings settings, guest_index& published);
  ~journal();
  journal(const journal&) = delete;
  journal& operator=(const journal&) = delete;

  /// In the order of queueing. The caller decides how they continue.
  std::vector<unfinished_job> unfinished() const;

  /// The boot that was recorded last; empty if none was.
  std::string boot_id() const;
  /// The guests that are still to be started because of it.
  std::vector<std::string> boot_starts() const;

  // -- batch -------------------------------------------------------------------------------------------------------
  void begin();  ///< throws storage_failed
  void commit(); ///< throws storage_failed; afterwards no batch is open either way
  void rollback() noexcept;
  bool in_batch() const noexcept;

  // -- steps, only inside a batch; each may throw storage_failed ---------------------------------------------------

  /// Throws not_found for an unknown guest (except `agent`) and for an own start that is not due any more,
  /// precondition_failed if the guest's tag is none of `if_match`, conflict for an idempotency key that was used with
  /// another digest. A delete of a guest that has an unfinished delete returns that job, `repeated`; one that `raises`
  /// replaces the first one's request, and one that `preempts` ends the jobs before the first one. A start throws
  /// unavailable during maintenance, and conflict if the host has no room for it.
  queued_job add_job(const new_job& job);

  /// Stores the guest and queues its create. If the id is taken: returns the first response for the same digest,
  /// throws conflict for another digest, and throws conflict for either while the guest's delete is unfinished. A guest
  /// whose machine is `missing` is created once more by the same request.
  /// Throws queue_full, too_large beyond the bounds, unavailable during maintenance, and conflict if the host has no
  /// room for the guest or another guest has its MAC address or VNC port.
  /// An adoption throws conflict whenever the id is taken; neither maintenance nor room matter to it, since the machine
  /// is there already. If its job fails, the guest is removed.
  queued_job add_guest(const rpc::guest& guest, const new_job& job);

  /// Throws not_found for an unknown job, conflict for one that has ended, sub_agent_failed if the returned guest
  /// cannot be stored. Then nothing of the step is recorded.
  recorded_step record(const job_step& step);

  /// Records a state change of a guest that no job made. Throws not_found; conflict while a job of the guest is
  /// unfinished, because its outcome takes precedence. A guest whose create failed stays `error`. A guest that shuts
  /// itself down, or that somebody on the host ends, is wished off from then on, unless its `power.restart` is "always"
  /// or it waits for the boot's start.
  reported_state report_state(std::string_view guest_id, const std::string& state, const std::string& reason = {});

  /// Sets the job's message and progress, until its next step. Logs no event: the event log is bounded, and frequent
  /// progress would displace the other events. Throws not_found for an unknown job, conflict for one that is not
  /// running.
  rpc::job report_progress(const std::string& job_id, const stage_report& report);

  /// Records the boot of the host, the guests that are to be started because of it, and those that are wished off from
  /// now on because of it.
  void note_boot(const std::string& boot_id, const std::vector<std::string>& to_start,
                 const std::vector<std::string>& off = {});

  /// The guest is not to be started any more because of the boot: it cannot be. A start that ends needs no such note,
  /// unless it was `interrupted`.
  void boot_start_done(const std::string& guest_id);

  /// Adds an event to the log that says what the agent did, or will not do, with a guest.
  void note_event(std::string_view guest_id, const std::string& text);

  /// Returns the whole map after the change. Throws not_found, precondition_failed, and too_large beyond
  /// the bounds.
  rpc::metadata_map patch_guest_metadata(std::string_view guest_id, const rpc::metadata_patch& patch,
                                         std::string_view if_match = {});
  rpc::metadata_map patch_metadata(const rpc::metadata_patch& patch);

  /// Adds an entry to the table of the audit. In the batch of the change that it is about, both commit together.
  void note(audit_entry what);

  /// Begins or ends maintenance; `since` is set to now, unless it is on already. Returns it as it is then.
  maintenance set_maintenance(maintenance wanted);

  /// Adds, removes or changes a bearer token; returns it as it is then, or was. Throws not_found, conflict for a name
  /// that is taken, queue_full beyond `most_tokens`.
  token change_token(const token_change& change);

  /// Throws storage_failed if the path no longer leads to the open database. Costs a few microseconds.
  void require_in_place() const;

  /// Writes to the file without changing its content: the commit succeeds only if the database is writable.
  void probe();

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace mistify::store
