#pragma once

#include "store/audit.hpp"
#include "store/boots.hpp"
#include "store/database_opener.hpp"
#include "store/event_epochs.hpp"
#include "store/events.hpp"
#include "store/guest_ledger.hpp"
#include "store/guests.hpp"
#include "store/host_table.hpp"
#include "store/idempotency.hpp"
#include "store/job_ages.hpp"
#include "store/jobs.hpp"
#include "store/journal.hpp"
#include "store/tokens.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace mistify::store {

/// The state of a guest whose create failed; see the contract, section 4.
inline constexpr std::string_view failed_state = "error";

/// Changes to the memory state, applied when the batch commits.
struct pending_changes {
  std::map<std::string, guest_ptr, std::less<>> guests;       ///< null: deleted
  std::map<std::string, std::optional<job_row>> jobs;         ///< null: ended
  std::map<std::string, token_ptr> tokens;                    ///< null: removed
  std::map<std::string, std::optional<reservation>> reserved; ///< by job; null: given back
  std::vector<std::pair<std::string, int>> starts;            ///< guests whose start was queued (1) or has ended (-1)
  std::optional<rpc::metadata_map> metadata;
  std::optional<store::maintenance> maintenance;
  std::ptrdiff_t ended = 0;                                      ///< change in the number of ended jobs
  std::vector<event> events;                                     ///< their ids are set at the commit
  std::optional<std::int64_t> oldest_event;                      ///< set by pruning events
  std::optional<std::int64_t> first_ended;                       ///< set by pruning jobs
  std::optional<std::set<std::string, std::less<>>> boot_starts; ///< the guests that a new boot is to start
  std::set<std::string, std::less<>> boot_done;                  ///< those that it is not to start any more
  epochs_ptr epochs;                                             ///< null if unchanged

  void take(pending_changes&& later);
};

/// Throws a failure of that code if a document has more than `most` bytes. A replacement may if it is not larger than
/// `before`: a lowered bound must not make existing data immutable.
void expect_fit(std::size_t size, std::size_t before, std::size_t most, rpc::errc code, const std::string& what);

struct journal::impl {
  using next_step = decltype(job_step::next);

  impl(const journal_settings& s, guest_index& d);

  /// Runs a step. `work` records its memory changes in its argument; they are kept only if the whole step succeeds. A
  /// step checks everything before it writes. If it fails after a write, which only a failing disk can cause, the
  /// whole batch is rolled back. (A savepoint for each step would keep the rest of the batch. Without savepoints,
  /// with rows in memory and one row for all events, a job's three steps went from 85 to 66 us: etc/bench.sh
  /// --micro.)
  template <class F>
  auto step(F&& work);

  void require_batch() const;    ///< throws internal
  void require_found();          ///< throws storage_failed, then and at each later `begin`
  void require_standing() const; ///< throws storage_failed after a failed write has rolled the batch back
  void publish() noexcept;
  void take_limits(); ///< those that hold now

  guest_ptr guest(std::string_view id) const; ///< as in the batch; may be null
  /// As in the batch after the step so far; may be null.
  guest_ptr guest(std::string_view id, const pending_changes& staged) const;
  rpc::metadata_map metadata() const;                      ///< the hypervisor's, as in the batch
  std::size_t count_guests() const;                        ///< as in the batch
  store::maintenance maintenance_now() const;              ///< as in the batch
  bool awaits_boot_start(std::string_view guest_id) const; ///< as in the batch
  void drop_boot_start(std::string_view guest_id, pending_changes& staged);
  void expect_due(const stored_guest& guest, own_start why) const; ///< throws not_found

  // journal_host.cpp
  void load_ledger();                        ///< what jobs that have not ended take; guests are in it
  void count(const pending_changes& staged); ///< adds a step's changes to the ledger
  void expect_match(const stored_guest& guest, std::string_view if_match) const; ///< throws precondition_failed
  void expect_no_maintenance() const;                                            ///< throws unavailable
  // journal_change.cpp
  guest_ptr apply_wish(const guest_ptr& guest, const new_job& job, pending_changes& staged);
  void admit_change(const stored_guest& guest, const new_job& job, pending_changes& staged);

  void admit_create(const stored_guest& guest) const;                  ///< throws unavailable, conflict
  void admit_job(const stored_guest& guest, const new_job& job) const; ///< likewise

  std::optional<job_row> unfinished(const std::string& job_id) const; ///< as in the batch
  [[noreturn]] void refuse_step_of(const std::string& job_id);

  job_row row_of(const new_job& job, std::string guest_id) const;
  queued_job queue(job_row row, const new_job& job, std::string guest_doc, pending_changes& staged);
  std::int64_t put_back(const stored_guest& guest, rpc::job create, pending_changes& staged);
  std::optional<job_row> repeated_delete(const new_job& job);
  queued_job join_delete(const job_row& first, const new_job& job, std::string guest_doc, pending_changes& staged);
  std::vector<rpc::job> preempt(const new_job& by, std::int64_t before, pending_changes& staged);
  void wish(const new_job& by, pending_changes& staged);
  std::optional<queued_job> create_again(const stored_guest& stored, const new_job& job, pending_changes& staged);
  std::optional<rpc::failure> refusal_of(const stored_guest& guest, const new_job& start) const;
  std::int64_t queue_behind(const rpc::job& ended, const new_job& next, pending_changes& staged);
  bool begin_after(const rpc::job& before, const job_start& next, pending_changes& staged);
  void change_guest(const job_row& row, const guest_change& change, pending_changes& staged);
  bool put_guest(guest_ptr guest, pending_changes& staged);
  void remove_guest(const job_row& row, pending_changes& staged);
  void advance(job_row& row, const next_step& next, pending_changes& staged);
  static bool start(job_row& row, const stage_starts& stage);
  static void end_stage(job_row& row, rpc::stage_outcome how);
  void end_job(job_row& row, const job_ends& end, pending_changes& staged);
  std::size_t prune_old(std::size_t surplus);
  void prune(); ///< once a batch: pruning at each step would search for the oldest jobs each time

  void note(audit_entry what);

  // journal_tokens.cpp
  token_ptr token_of(const std::string& id) const;
  std::vector<token_ptr> all_tokens() const;
  void require_new(const token& wanted) const;

  std::shared_ptr<const rpc::metadata_map> labels_of(std::string_view guest_id, const pending_changes& staged) const;
  void tell(event what, pending_changes& staged);
  /// `before`: the state from which a job has brought the guest; empty: that is of no interest.
  void tell_guest(event_type type, const rpc::job& by, std::string state, pending_changes& staged,
                  std::string reason = {}, std::string_view before = {});
  /// Of a change that no job made.
  void tell_change(const rpc::guest& after, std::string_view before, pending_changes& staged);
  /// What the agent did with a guest, or will not do.
  void tell_power(std::string_view guest_id, const std::string& text, pending_changes& staged);
  void tell_stage(const job_row& row, const job_step& step, pending_changes& staged);
  void tell_end(const rpc::job& job, pending_changes& staged);
  void write_events(); ///< once a batch
  void prune_events();

  journal_settings settings;
  guest_index& published;
  opened_file file;
  job_table jobs;
  guest_table guests;
  metadata_table agent_metadata;
  idempotency_table keys;
  event_table events;
  epoch_table epochs;
  token_table tokens;
  audit_table audits;
  host_table host;
  boot_table boots;
  guest_ledger ledger; // as in the batch
  store::maintenance maintenance;
  std::string tag_key;         // of guests' tags
  std::int64_t next_ended = 1; // numbers used by failed batches are skipped
  std::int64_t last_aged = 0;  // the last number added to `ages`
  bool has_diverged = false;   // the file may contain a batch that was reported as failed
  std::optional<job_ages> ages;
  bool epoch_begun = false; // whether this start has begun its epoch
  // As committed:
  std::unordered_map<std::string, job_row> live; // unfinished jobs, in memory, so that a step needs no query
  std::size_t ended = 0;                         // number of ended jobs in the log
  std::int64_t first_ended = 0;                  // position of the job that ended first
  std::int64_t oldest_event = 1, last_event = 0;
  std::set<std::string, std::less<>> boot_starts; // guests to be started because the host did

  std::optional<transaction> batch;
  pending_changes pending;
};

template <class F>
auto journal::impl::step(F&& work) {
  require_batch();
  require_standing();
  const auto written = file.db().written();
  try {
    pending_changes staged;
    auto result = work(staged);
    count(staged);
    pending.take(std::move(staged));
    return result;
  } catch (...) {
    if (file.db().written() != written)
      batch->undo();
    throw;
  }
}

} // namespace mistify::store
