#pragma once

#include "store/events.hpp"
#include "store/guests.hpp"
#include "store/idempotency.hpp"
#include "store/jobs.hpp"
#include "store/journal.hpp"
#include "store/opening.hpp"

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace mistify::store {

/// What steps did to memory, until the commit makes it true.
struct pending_changes {
  std::map<std::string, guest_ptr, std::less<>> guests; ///< nullptr: deleted
  std::optional<rpc::metadata_map> metadata;
  std::ptrdiff_t ended = 0; ///< by how many the ended jobs of the log grew
  std::vector<event> events;
  std::optional<std::int64_t> oldest_event; ///< after a pruning

  void take(pending_changes&& later);
};

struct journal::impl {
  using next_step = decltype(job_step::next);

  impl(const journal_settings& s, directory& d);

  /// Runs a step inside a savepoint. `work` notes in its argument what the step does to memory; it counts only if the
  /// whole step went well.
  template <class F>
  auto step(F&& work);

  void require_batch() const;    ///< throws internal
  void require_standing() const; ///< throws storage_failed once a failed write has undone the batch
  void publish() noexcept;

  guest_ptr guest(std::string_view id) const; ///< as the batch has it; may be null
  rpc::metadata_map metadata() const;         ///< the hypervisor's, as the batch has it

  queued_job queue(const new_job& job, std::string guest_id, std::string guest_doc);
  void change_guest(const job_row& row, const guest_change& change, pending_changes& staged);
  bool put_guest(guest_ptr guest, pending_changes& staged);
  void remove_guest(const job_row& row, pending_changes& staged);
  void advance(job_row& row, const next_step& next, pending_changes& staged);
  void end_job(job_row& row, const job_ends& end, pending_changes& staged);
  void prune(); ///< once a batch: a step alone would look for the oldest jobs each time

  // journal_events.cpp: what is told of a step
  void tell(event what, pending_changes& staged);
  void tell_guest(event_type type, const rpc::job& by, std::string state, pending_changes& staged);
  void tell_change(std::string guest_id, std::string state, pending_changes& staged); ///< that no job made
  void tell_stage(const job_row& row, const job_step& step, pending_changes& staged);
  void tell_end(const rpc::job& job, pending_changes& staged);
  void prune_events();

  journal_settings settings;
  directory& published;
  opened_file file;
  job_table jobs;
  guest_table guests;
  metadata_table agent_metadata;
  idempotency_table keys;
  event_table events;
  std::size_t ended = 0;         // jobs of the log that have ended, as committed
  std::int64_t oldest_event = 1; // as committed

  std::optional<transaction> batch;
  pending_changes pending;
};

template <class F>
auto journal::impl::step(F&& work) {
  require_batch();
  require_standing(); // else the savepoint would begin a transaction of its own
  savepoint point{file.db()};
  pending_changes staged;
  auto result = work(staged);
  point.release();
  pending.take(std::move(staged));
  return result;
}

} // namespace mistify::store
