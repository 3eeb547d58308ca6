#pragma once

#include "store/job_filter.hpp"
#include "store/journal.hpp"
#include "store/sqlite.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mistify::store {

/// Converts times to and from their form in the tables: nanoseconds since the epoch.
std::int64_t to_column(rpc::timestamp at) noexcept;
rpc::timestamp from_column(std::int64_t at) noexcept;

struct job_row {
  std::int64_t seq = 0;
  rpc::job job;
  std::size_t stage = 0;
  std::string stage_name; ///< of the call in flight; empty if there is none
  std::int64_t ended = 0; ///< position in the order of ending; 0 before
  rpc::host_time due{};   ///< of the stage, see `stage_starts`
  std::size_t detour = 0;
};

/// What a job that has not ended asks for.
struct open_job {
  std::string id, action, request;
};

/// The writer's view of the table `jobs`. Throws `failure{storage_failed}`; each call is a few indexed operations.
class job_table {
public:
  explicit job_table(database& db);

  /// Inserts a job and sets its position in the order of queueing.
  void insert(job_row& row, std::string_view request, std::string_view request_id);
  std::optional<job_row> find(std::string_view id);
  void update(const job_row& row); ///< for a job that has not ended
  void end(const job_row& row);

  /// Ends every other unfinished job of the guest. Returns them as they are now, without their times.
  std::vector<rpc::job> end_others(const job_row& but, std::int64_t ended, std::string_view message);

  /// Deletes the `count` jobs that ended first, with their idempotency keys, up to `last` in the order of ending.
  /// Returns how many it deleted.
  std::size_t prune(std::size_t count, std::int64_t last);

  bool has_unfinished(std::string_view guest_id);
  /// True if an unfinished job of the guest, queued after that place, says what the guest is wished to be.
  bool has_later_wish(std::string_view guest_id, std::int64_t after);
  /// True if the newest of the guest's jobs that could have said what it is wished to be has left that as it was.
  bool last_kept_wish(std::string_view guest_id);
  /// The unfinished jobs of the guest or of `agent`, newest first.
  std::vector<open_job> open(std::string_view guest_id);
  std::optional<job_row> find_delete(std::string_view guest_id); ///< the unfinished one
  void replace_request(const job_row& row, std::string_view request);
  /// Of the guest that this job deletes, for `job_visitor`. They replace the request, which is not needed any more: an
  /// array, which no request is.
  void keep_last_labels(const job_row& row, const rpc::metadata_map& labels);
  /// Ids of the guest's unfinished jobs that were queued before that place, except for deletes.
  std::vector<std::string> preemptible(std::string_view guest_id, std::int64_t before);

  std::int64_t first_ended(); ///< position in the order of ending; 0 if there is none
  std::int64_t last_ended();
  void number_ended(); ///< numbers all ended jobs by their times, for jobs imported from another agent

  std::size_t count_ended();
  std::vector<unfinished_job> unfinished();

private:
  database& db_;
  statement insert_, find_, update_, end_, end_others_, prune_keys_, prune_, count_ended_, unfinished_, has_unfinished_,
    has_later_wish_, last_kept_wish_, open_, find_delete_, replace_request_, preemptible_, first_ended_, last_ended_;
};

/// A reader's view of the table `jobs`. Throws `failure{storage_failed}`.
class job_lookup {
public:
  explicit job_lookup(const database& db);

  std::optional<rpc::job> find(std::string_view id);
  std::vector<rpc::job> latest(const job_filter& which, std::size_t limit); ///< newest first

  /// As `job_reader::visit`.
  void visit(std::string_view guest, const job_visitor& see);

private:
  std::vector<rpc::job> search(const job_filter& which, std::size_t limit);

  const database& db_;
  statement find_, latest_, latest_of_, heads_, heads_of_;
};

} // namespace mistify::store
