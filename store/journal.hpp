#pragma once

#include "rpc/base/error.hpp"
#include "rpc/model/model.hpp"
#include "store/audit.hpp"
#include "store/guest_index.hpp"
#include "store/journal_settings.hpp"
#include "store/journal_steps.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace mistify::store {

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
  /// another digest. A delete of a guest, an image or a snapshot that has an unfinished delete returns that job,
  /// `repeated`; one that `raises` replaces the first one's request, and one that `preempts` ends the jobs before the
  /// first one. A start throws unavailable during maintenance, and conflict if the host has no room for it.
  queued_job add_job(const new_job& job);

  /// Stores the guest and queues its create. If the id is taken: returns the first response for the same digest,
  /// throws conflict for another digest, and throws conflict for either while the guest's delete is unfinished. If the
  /// job of that response has left the log, it is entered again. A guest whose machine is `missing` is created once more
  /// by the same request.
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
  /// or it waits for the boot's start, or the last job that turned it off was to keep the wish: the
  /// report is then about that job.
  reported_state report_state(std::string_view guest_id, const std::string& state, const std::string& reason = {},
                              std::string_view if_match = {});

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
