#pragma once

#include "rpc/model/model.hpp"
#include "store/sqlite.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace mistify::store {

/// The type of an event. The numbers are stored on disk.
enum class event_type : std::uint8_t {
  guest_created = 1,
  guest_changed = 2,
  guest_deleted = 3,
  job_queued = 4,
  job_started = 5,
  job_stage_done = 6,
  job_stage_skipped = 7, ///< of a forced delete: the stage failed and was skipped
  job_ended = 8,
  guest_power = 9, ///< what the agent did, or will not do, with a guest by itself
};

/// The number of `guest_changed`: what became of the guest's power by this change.
enum class power_turn : std::uint8_t { none, went_off, came_on };

/// An event, numbered in the order of commits. It is written in the same transaction as the change that it reports.
struct event {
  std::int64_t id = 0; ///< from 1, without gaps
  rpc::timestamp at;
  event_type type{};
  std::string guest, job, action; ///< job and action are empty if a client changed metadata
  /// Of a stage: its index from 0; of a job's end: the job's status; of a changed guest: a `power_turn`; of a queued job:
  /// an `own_start`.
  std::int64_t number = 0;
  /// Of a guest: its state; of a stage: its method, or why it was skipped; of an end: the message; of a queued job: its
  /// user; of `guest_power`: what it is.
  std::string text;
  std::string reason{}; ///< of a guest: why it is in that state; of an end: the job's code; may be empty
  /// Those that its guest had when it was written: of the guest's end and of the jobs that ended with it, the last ones.
  /// Null: none.
  std::shared_ptr<const rpc::metadata_map> labels{};
};

using event_ptr = std::shared_ptr<const event>;

/// Creates an event with the guest, the id, the action and the time of a job.
event event_of(event_type type, const rpc::job& by);

/// The maximum size of an event's text, in bytes; the job keeps the whole text.
inline constexpr std::size_t longest_event_text = 200;

/// The writer's view of the table `event_log`. All events of a commit share one row: a row for each event cost four
/// inserts a job, beside three updates. Throws `failure{storage_failed}`.
class event_table {
public:
  explicit event_table(const database& db);

  /// Appends events, which have their ids. Cuts texts that are too long.
  void append(std::vector<event>& news);

  /// Deletes the rows of commits whose events all come before this one.
  void erase_before(std::int64_t id);

  std::int64_t first(); ///< the oldest event kept; 1 if there is none
  std::int64_t last();  ///< 0 if there is none

private:
  statement append_, erase_before_, first_, last_;
};

/// A reader's view of the table `event_log`. Throws `failure{storage_failed}`.
class event_lookup {
public:
  explicit event_lookup(const database& db);

  /// Returns up to `most` events after an id, in order.
  std::vector<event_ptr> after(std::int64_t id, std::size_t most);

private:
  statement after_;
};

} // namespace mistify::store
