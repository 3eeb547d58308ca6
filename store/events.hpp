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

/// What an event tells. The numbers stand on disk.
enum class event_type : std::uint8_t {
  guest_created = 1,
  guest_changed = 2,
  guest_deleted = 3,
  job_queued = 4,
  job_started = 5,
  job_stage_done = 6,
  job_stage_skipped = 7, ///< of a forced delete: it failed, and was passed over
  job_ended = 8,
};

/// Something that happened, in the order of the commits. It is written together with the change that it tells.
struct event {
  std::int64_t id = 0; ///< from 1, without holes
  rpc::timestamp at;
  event_type type{};
  std::string guest, job, action; ///< job and action are empty where a client changed metadata
  std::int64_t number = 0;        ///< of a stage: its index from 0; of an end: the job's status
  std::string text; ///< of a guest: its state; of a stage: its method, or why it was skipped; of an end: the message
};

using event_ptr = std::shared_ptr<const event>;

/// What a job is in, with its time.
event event_of(event_type type, const rpc::job& by);

/// The most of a text that an event keeps, in bytes; the job has all of it.
inline constexpr std::size_t longest_event_text = 200;

/// The writer's view of the table `event_log`. All events of a commit are one row: rows of their own were four
/// inserts a job, beside three updates. Throws `failure{storage_failed}`.
class event_table {
public:
  explicit event_table(const database& db);

  /// Writes them behind those that are there. They have their ids; texts that are too long are cut.
  void append(std::vector<event>& news);

  /// Those of commits that are over before this one.
  void erase_before(std::int64_t id);

  std::int64_t first(); ///< of those that are kept; 1 where none is yet
  std::int64_t last();  ///< 0 where none is yet

private:
  statement append_, erase_before_, first_, last_;
};

/// A reader's view of the table `event_log`. Throws `failure{storage_failed}`.
class event_lookup {
public:
  explicit event_lookup(const database& db);

  /// The next ones behind an id, in order, at most so many.
  std::vector<event_ptr> after(std::int64_t id, std::size_t most);

private:
  statement after_;
};

} // namespace mistify::store
