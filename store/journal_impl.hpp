#pragma once

#include "store/database_opener.hpp"
#include "store/event_epochs.hpp"
#include "store/events.hpp"
#include "store/guests.hpp"
#include "store/idempotency.hpp"
#include "store/job_ages.hpp"
#include "store/jobs.hpp"
#include "store/journal.hpp"
#include "store/tokens.hpp"

#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace mistify::store {

/// What steps did to memory, until the commit makes it true.
struct pending_changes {
  std::map<std::string, guest_ptr, std::less<>> guests; ///< nullptr: deleted
  std::map<std::string, std::optional<job_row>> jobs;   ///< nothing: ended
  std::map<std::string, token_ptr> tokens;              ///< null: removed
  std::optional<rpc::metadata_map> metadata;
  std::ptrdiff_t ended = 0;                 ///< by how many the ended jobs of the log grew
  std::vector<event> events;                ///< they get their ids at the commit
  std::optional<std::int64_t> oldest_event; ///< after a pruning
  std::optional<std::int64_t> first_ended;  ///< after one of jobs
  epochs_ptr epochs;                        ///< null where they are as they were

  void take(pending_changes&& later);
};

struct journal::impl {
  using next_step = decltype(job_step::next);

  impl(const journal_settings& s, directory& d);

  /// Runs a step. `work` notes in its argument what the step does to memory; it counts only if the whole step went well.
  /// A step checks everything before it writes: one that fails having written, which only a failing disk can cause,
  /// undoes the batch. (A savepoint for each would save the others of the batch then. Without it, with rows in memory and
  /// one row for all events, a job's three steps went from 85 to 66 us: etc/bench.sh --micro.)
  template <class F>
  auto step(F&& work);

  void require_batch() const;    ///< throws internal
  void require_found();          ///< throws storage_failed, and from then on at each `begin`
  void require_standing() const; ///< throws storage_failed once a failed write has undone the batch
  void publish() noexcept;

  guest_ptr guest(std::string_view id) const; ///< as the batch has it; may be null
  rpc::metadata_map metadata() const;         ///< the hypervisor's, as the batch has it
  std::size_t count_guests() const;           ///< as the batch has them

  std::optional<job_row> unfinished(const std::string& job_id) const; ///< as the batch has it
  [[noreturn]] void refuse_step_of(const std::string& job_id);

  job_row row_of(const new_job& job, std::string guest_id) const;
  queued_job queue(job_row row, const new_job& job, std::string guest_doc, pending_changes& staged);
  queued_job join_delete(const job_row& first, const new_job& job, std::string guest_doc);
  bool begin_after(const rpc::job& before, const job_start& next, pending_changes& staged);
  void change_guest(const job_row& row, const guest_change& change, pending_changes& staged);
  bool put_guest(guest_ptr guest, pending_changes& staged);
  void remove_guest(const job_row& row, pending_changes& staged);
  void advance(job_row& row, const next_step& next, pending_changes& staged);
  static bool start(job_row& row, const stage_starts& stage);
  void end_job(job_row& row, const job_ends& end, pending_changes& staged);
  std::size_t prune_old(std::size_t surplus);
  void prune(); ///< once a batch: a step alone would look for the oldest jobs each time

  // journal_tokens.cpp
  token_ptr token_of(const std::string& id) const;
  std::vector<token_ptr> all_tokens() const;
  void require_new(const token& wanted) const;

  // journal_events.cpp: what is told of a step
  void tell(event what, pending_changes& staged);
  void tell_guest(event_type type, const rpc::job& by, std::string state, pending_changes& staged);
  void tell_change(std::string guest_id, std::string state, pending_changes& staged); ///< that no job made
  void tell_stage(const job_row& row, const job_step& step, pending_changes& staged);
  void tell_end(const rpc::job& job, pending_changes& staged);
  void write_events(); ///< once a batch
  void prune_events();

  journal_settings settings;
  directory& published;
  opened_file file;
  job_table jobs;
  guest_table guests;
  metadata_table agent_metadata;
  idempotency_table keys;
  event_table events;
  epoch_table epochs;
  token_table tokens;
  std::int64_t next_ended = 1; // numbers of batches that failed stay unused
  std::int64_t last_aged = 0;  // the number that `ages` knows
  bool has_diverged = false;   // the file may hold what was refused
  std::optional<job_ages> ages;
  bool epoch_begun = false; // of this start
  // As committed:
  std::unordered_map<std::string, job_row> live; // the jobs that have not ended: each step would have to look its up
  std::size_t ended = 0;                         // how many of the log have
  std::int64_t first_ended = 0;                  // the number of the one that did first
  std::int64_t oldest_event = 1, last_event = 0;

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
    pending.take(std::move(staged));
    return result;
  } catch (...) {
    if (file.db().written() != written)
      batch->undo();
    throw;
  }
}

} // namespace mistify::store
