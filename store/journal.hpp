#pragma once

#include "rpc/base/error.hpp"
#include "rpc/model/model.hpp"
#include "store/event_feed.hpp"
#include "store/guest_index.hpp"

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

/// The sizes that the journal keeps. Beyond one, a step throws: `queue_full` for numbers, `too_large` for bytes that a
/// client sent, `sub_agent_failed` for bytes that a sub-agent did; texts are cut. A message names the bound's number.
struct journal_bounds {
  std::size_t guests = 20'000;             ///< living guests
  std::size_t guest_bytes = 64 * 1024;     ///< of a guest's document; one over it may be replaced by one not larger
  std::size_t metadata_bytes = 256 * 1024; ///< of the hypervisor's metadata as JSON; likewise
  std::size_t message_bytes = 4096;        ///< of a job's message and of the text of an event
};

struct journal_settings {
  std::string path;                 ///< of the database file; created with its folder's permissions if absent
  std::size_t keep_jobs = 1000;     ///< ended jobs kept, those that ended last; those that have not ended always stay
  std::chrono::seconds keep_for{0}; ///< jobs that ended less than this ago are kept beyond `keep_jobs`
  std::size_t most_jobs = 100'000;  ///< ended jobs kept at most, however young
  std::function<std::chrono::steady_clock::time_point()> steady; ///< for `keep_for`; the system's if absent
  std::function<rpc::timestamp()> now;                           ///< the clock, wall time; the system's if absent
  std::function<void(std::string_view message)> warn; ///< told of each broken row that is set aside at the start
  std::size_t keep_events = 10000;                    ///< of the log of events, the newest; a tenth more may be there
  event_feed* events = nullptr;                       ///< hears of each event after its commit; may be absent
  std::size_t max_bytes = 0;                          ///< the database grows no further, as on a full disk; 0: no bound
  journal_bounds bounds = {};
  std::function<void()> before_commit; ///< for tests, to inject a failing commit: may throw a failure
};

/// Stage `index` (from 0) is about to be called; `name` is for people: "Libvirt.Reboot".
struct stage_starts {
  std::size_t index = 0;
  std::string name;
};

/// A job to be queued.
struct new_job {
  std::string id, guest_id, action;
  std::string request; ///< JSON text that the stages need (image and snapshot requests); empty for guest actions
  std::string idempotency_key;             ///< empty: none
  std::string request_digest;              ///< identifies the client's request, to tell a repetition from another one
  std::string request_id = {};             ///< names the client's request in logs
  std::optional<stage_starts> begins = {}; ///< no job is before it, and this stage follows at once
  /// When its asker gives up. Judged by the caller of the journal.
  std::chrono::steady_clock::time_point expires = std::chrono::steady_clock::time_point::max();
};

/// What was queued: the job as it was then, before it began, and the guest as it then was (empty for `agent`).
struct queued_job {
  rpc::job job;
  std::string guest_doc;
  bool repeated = false; ///< nothing was queued: this is the answer that an earlier, same request got
  std::int64_t seq = 0;  ///< the job's place in the order of queueing; unset for a repeated one
};

// -- what a step of a job does to its guest ------------------------------------------------------------------------

struct guest_unchanged {};

/// The sub-agent returned a guest. It replaces the stored one, except that metadata which clients changed between
/// `sent_doc` and now wins (a three-way merge), and a returned guest never comes back once deleted.
struct guest_returned {
  std::string sent_doc; ///< JSON text that the stage was given
  rpc::guest guest;
};

/// The record goes, and every other job of the guest that has not ended ends in `error` ("guest deleted").
struct guest_removed {};

struct guest_state {
  std::string state;
};

using guest_change = std::variant<guest_unchanged, guest_returned, guest_removed, guest_state>;

// -- where the job goes next ---------------------------------------------------------------------------------------

/// No call of stage `index` is out, but it is the one to go on with: between two tries, or because the agent stops.
struct stage_waits {
  std::size_t index = 0;
};

struct job_ends {
  rpc::job_status status = rpc::job_status::complete; ///< complete or error
  std::string message;
};

/// The job that waited behind one that ends begins.
struct job_start {
  std::string job_id;
  stage_starts stage;
};

/// One step of a job: what it did to the guest and where the job goes. Both commit together.
struct job_step {
  std::string job_id;
  guest_change change;
  std::variant<stage_starts, stage_waits, job_ends> next;
  std::string skipped_because = {};   ///< why the stage that is over failed, where the job goes on all the same
  std::optional<job_start> then = {}; ///< with an end only; in one step, so that it takes one commit
};

struct recorded_step {
  rpc::job job;            ///< as it is now
  std::string guest_doc;   ///< as it is now; empty where there is none
  bool then_began = false; ///< the job of `then` did; it did not if it has ended
};

/// What became of a state that was reported.
struct reported_state {
  std::string guest_doc; ///< as it is now
  std::string before;    ///< the state until now; empty where nothing changed
};

/// A job that had not ended when the database was opened, in the order of its queueing.
struct unfinished_job {
  rpc::job job;
  std::string request;
  std::size_t stage = 0;       ///< where it is, or is to go on; 0 before it has begun
  std::string stage_name;      ///< of the call that was out: "Libvirt.Reboot"
  bool call_was_out = false;   ///< stage_starts was recorded, and nothing after it: nobody knows what came of the call
  std::string request_id = {}; ///< of the request that queued it
  std::int64_t seq = 0;        ///< its place in the order of queueing
};

/// The one writer. Steps are taken inside a batch; one commit makes the whole batch durable (WAL, synchronous=FULL),
/// then publishes it to the directory. Belongs to one thread.
///
/// A step that cannot be taken throws and leaves nothing of itself in the batch; the others of the batch stand.
/// A commit that fails throws `failure{storage_failed}` and leaves nothing of the whole batch, on disk or in memory.
class journal {
public:
  /// Opens or creates the database, brings its schema up to date and fills `published`. Throws
  /// `failure{storage_failed}` with one clear line, and leaves the file as it was, when it is corrupt, of a newer
  /// schema, in use by another agent, or cannot be written.
  journal(journal_settings settings, directory& published);
  ~journal();
  journal(const journal&) = delete;
  journal& operator=(const journal&) = delete;

  /// In the order of queueing. What is to become of them the caller decides.
  std::vector<unfinished_job> unfinished() const;

  // -- batch -------------------------------------------------------------------------------------------------------
  void begin();  ///< throws storage_failed
  void commit(); ///< throws storage_failed; afterwards no batch is open either way
  void rollback() noexcept;
  bool in_batch() const noexcept;

  // -- steps, only inside a batch; each may throw storage_failed ---------------------------------------------------

  /// Throws not_found for a guest that is not there (except `agent`), conflict for an idempotency key that was used
  /// with another digest. A delete of a guest that has one already is that one, `repeated`; a `request` of the later
  /// one, which forces it, replaces the first one's.
  queued_job add_job(const new_job& job);

  /// Stores the guest and queues its create. If the id is taken: the same digest gives the first answer again, another
  /// is `conflict`, and so is either while the guest's delete has not ended. Throws queue_full, too_large beyond the bounds.
  queued_job add_guest(const rpc::guest& guest, const new_job& job);

  /// Throws not_found for an unknown job, conflict for one that has ended, sub_agent_failed where the guest that a stage
  /// returned cannot be stored: then nothing of the step is taken, and the job is where it was.
  recorded_step record(const job_step& step);

  /// A guest changed its state by itself. Throws not_found; conflict while a job of the guest has not ended, whose outcome
  /// counts. A guest whose create failed stays `error`.
  reported_state report_state(std::string_view guest_id, const std::string& state);

  /// How far the stage of a running job is: the job's message until its next step. No event tells of it, because the log of
  /// events is bounded, and one a second would drive out what its readers came for. Throws not_found for an unknown job,
  /// conflict for one that does not run.
  rpc::job report_progress(const std::string& job_id, const std::string& message);

  /// Returns the whole map after the change. Throws not_found, too_large beyond the bounds.
  rpc::metadata_map patch_guest_metadata(std::string_view guest_id, const rpc::metadata_patch& patch);
  rpc::metadata_map patch_metadata(const rpc::metadata_patch& patch);

  /// Throws storage_failed when the path no longer leads to the open database. Costs a few microseconds.
  void require_in_place() const;

  /// Writes to the file without changing what is in it: whether the commit goes through tells whether writes do.
  void probe();

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace mistify::store
