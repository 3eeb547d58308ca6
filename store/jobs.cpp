#include "store/jobs.hpp"

#include "rpc/model/codec.hpp"
#include "store/job_columns.hpp"
#include "store/job_rows.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace mistify::store {

namespace {

// Without INDEXED BY the planner, which has no statistics, might scan the table instead of using the partial index.
// Oldest by its end: a long job must not leave the log the moment it ends, before a client saw the outcome.
constexpr auto oldest_ended =
  "(SELECT seq FROM jobs INDEXED BY jobs_ended WHERE status >= 2 AND ended <= ? ORDER BY ended, seq LIMIT ?)";

// Actions that say what a guest is wished to be, unless their request keeps that.
const std::string wishing_actions =
  "('start', 'restart', 'reboot', 'resume', 'shutdown', 'poweroff', 'hibernate', 'delete', 'containerStart', "
  "'containerRestart', 'containerReboot', 'containerResume', 'containerShutdown', 'containerPoweroff', "
  "'containerHibernate', 'containerDelete')";

// The first column after them.
constexpr int others = 13;

/// The columns after the job's: seq, stage, stage_name.
std::optional<job_row> read_row(query row) {
  if (!row.next())
    return std::nullopt;
  return job_row{row.integer(others), read_job(row), static_cast<std::size_t>(row.integer(others + 1)),
                 row.text(others + 2)};
}

std::int64_t read_number(query row) {
  return row.next() ? row.integer(0) : 0;
}

} // namespace

std::int64_t to_column(rpc::timestamp at) noexcept {
  return at.time_since_epoch().count();
}

rpc::timestamp from_column(std::int64_t at) noexcept {
  return rpc::timestamp{std::chrono::nanoseconds{at}};
}

job_table::job_table(database& db)
  : db_{db},
    insert_{db, "INSERT INTO jobs (id, guest, action, status, queued_at, started_at, updated_at, message, request, "
                "request_id, stage, stage_name, code, user, stages, due, due_boot) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, nullif(?, ''), ?, ?, ?, ?, ?)"},
    find_{db, "SELECT " + job_columns + ", seq, stage, stage_name FROM jobs WHERE id = ?"},
    update_{db, "UPDATE jobs SET status = ?, started_at = ?, updated_at = ?, stage = ?, stage_name = nullif(?, ''), "
                "message = ?, stages = ?, progress = ?, due = ?, due_boot = ?, detour = ? WHERE seq = ?"},
    end_{db, "UPDATE jobs SET status = ?, started_at = ?, updated_at = ?, message = ?, ended = ?, stage_name = NULL, "
             "code = ?, stages = ?, progress = '' WHERE seq = ?"},
    end_others_{db,
                "UPDATE " + jobs_by_guest +
                  " SET status = ?2, updated_at = ?3, message = ?4, ended = ?6, code = ?7, stage_name = NULL WHERE " +
                  of_guest + " AND status < 2 AND seq <> ?5 RETURNING id, action"},
    prune_keys_{db, "DELETE FROM idempotency WHERE job IN " + std::string{oldest_ended}},
    prune_{db, "DELETE FROM jobs WHERE seq IN " + std::string{oldest_ended}},
    // Counting all rows looks at the pages of an index only, and few jobs have not ended; counting `status >= 2` would look
    // at each row.
    count_ended_{db, "SELECT (SELECT count(*) FROM jobs) - "
                     "(SELECT count(*) FROM jobs INDEXED BY jobs_unfinished WHERE status < 2)"},
    unfinished_{db, "SELECT " + job_columns +
                      ", request, stage, stage_name, seq, due, due_boot, detour FROM jobs INDEXED BY jobs_unfinished "
                      "WHERE status < 2 "
                      "ORDER BY seq"},
    has_unfinished_{db, "SELECT 1 FROM " + jobs_by_guest + " WHERE " + of_guest +
                          " AND status < 2 ORDER BY seq DESC LIMIT 1"},
    has_later_wish_{db, "SELECT 1 FROM " + jobs_by_guest + " WHERE " + of_guest +
                          " AND seq > ?2 AND status < 2 AND action IN " + wishing_actions +
                          " AND request NOT LIKE '%\"keep_wanted\":true%' LIMIT 1"},
    last_kept_wish_{db, "SELECT request LIKE '%\"keep_wanted\":true%' FROM " + jobs_by_guest + " WHERE " + of_guest +
                          " AND action IN " + wishing_actions + " ORDER BY seq DESC LIMIT 1"},
    open_{db, "SELECT id, action, request FROM jobs INDEXED BY jobs_unfinished WHERE status < 2 AND guest = ? "
              "ORDER BY seq DESC"},
    find_delete_{db, "SELECT " + job_columns + ", seq, stage, stage_name FROM " + jobs_by_guest + " WHERE " + of_guest +
                       " AND status < 2 AND action IN ('delete', 'containerDelete') ORDER BY seq LIMIT 1"},
    replace_request_{db, "UPDATE jobs SET request = ? WHERE seq = ?"},
    preemptible_{
      db, "SELECT id FROM " + jobs_by_guest + " WHERE " + of_guest +
            " AND status < 2 AND seq < ?2 AND action NOT IN ('delete', 'containerDelete', 'adopt') ORDER BY seq"},
    first_ended_{db, "SELECT ended FROM jobs INDEXED BY jobs_ended WHERE status >= 2 ORDER BY ended LIMIT 1"},
    last_ended_{db, "SELECT ended FROM jobs INDEXED BY jobs_ended WHERE status >= 2 ORDER BY ended DESC LIMIT 1"} {}

void job_table::insert(job_row& row, std::string_view request, std::string_view request_id) {
  const auto& job = row.job;
  insert_.run(job.id, job.guest_id, job.action, number(job.status), to_column(job.queued_at), to_column(job.started_at),
              to_column(job.updated_at), job.message, request, request_id, row.stage, row.stage_name, number(job.code),
              job.user, stages_column(job), row.due.since.count(), row.due.boot);
  row.seq = db_.last_row();
}

std::optional<job_row> job_table::find(std::string_view id) {
  return read_row(find_(id));
}

std::optional<job_row> job_table::find_delete(std::string_view guest_id) {
  return read_row(find_delete_(guest_id));
}

bool job_table::last_kept_wish(std::string_view guest_id) {
  return read_number(last_kept_wish_(guest_id)) != 0;
}

std::vector<open_job> job_table::open(std::string_view guest_id) {
  std::vector<open_job> all;
  for (auto row = open_(guest_id); row.next();)
    all.push_back({row.text(0), row.text(1), row.text(2)});
  return all;
}

void job_table::replace_request(const job_row& row, std::string_view request) {
  replace_request_.run(request, row.seq);
}

void job_table::update(const job_row& row) {
  const auto& job = row.job;
  update_.run(number(job.status), to_column(job.started_at), to_column(job.updated_at), row.stage, row.stage_name,
              job.message, stages_column(job), progress_column(job.progress), row.due.since.count(), row.due.boot,
              row.detour, row.seq);
}

void job_table::keep_last_labels(const job_row& row, const rpc::metadata_map& labels) {
  replace_request(row, '[' + rpc::encode(labels) + ']');
}

std::vector<std::string> job_table::preemptible(std::string_view guest_id, std::int64_t before) {
  std::vector<std::string> ids;
  for (auto row = preemptible_(guest_id, before); row.next();)
    ids.push_back(row.text(0));
  return ids;
}

void job_table::end(const job_row& row) {
  const auto& job = row.job;
  end_.run(number(job.status), to_column(job.started_at), to_column(job.updated_at), job.message, row.ended,
           number(job.code), stages_column(job), row.seq);
}

std::vector<rpc::job> job_table::end_others(const job_row& but, std::int64_t number_of_end, std::string_view message) {
  std::vector<rpc::job> ended;
  for (auto row = end_others_(but.job.guest_id, number(rpc::job_status::error), to_column(but.job.updated_at), message,
                              but.seq, number_of_end, number(rpc::job_code::guest_deleted));
       row.next();) {
    auto& job = ended.emplace_back();
    job.id = row.text(0);
    job.guest_id = but.job.guest_id;
    job.action = row.text(1);
    job.status = rpc::job_status::error;
    job.message = message;
    job.code = rpc::job_code::guest_deleted;
  }
  return ended;
}

std::size_t job_table::prune(std::size_t count, std::int64_t last) {
  prune_keys_.run(last, count);
  prune_.run(last, count);
  return static_cast<std::size_t>(db_.changed());
}

bool job_table::has_unfinished(std::string_view guest_id) {
  return has_unfinished_(guest_id).next();
}

bool job_table::has_later_wish(std::string_view guest_id, std::int64_t after) {
  return has_later_wish_(guest_id, after).next();
}

std::int64_t job_table::first_ended() {
  return read_number(first_ended_());
}

std::int64_t job_table::last_ended() {
  return read_number(last_ended_());
}

void job_table::number_ended() {
  db_.execute("UPDATE jobs SET ended = ranked.place FROM (SELECT seq AS job, row_number() OVER (ORDER BY updated_at, "
              "seq) AS place FROM jobs WHERE status >= 2) AS ranked WHERE jobs.seq = ranked.job");
}

std::size_t job_table::count_ended() {
  auto row = count_ended_();
  return row.next() ? static_cast<std::size_t>(row.integer(0)) : 0;
}

std::vector<unfinished_job> job_table::unfinished() {
  std::vector<unfinished_job> result;
  for (auto row = unfinished_(); row.next();) {
    unfinished_job found{read_job(row), row.text(others), static_cast<std::size_t>(row.integer(others + 1)),
                         row.text(others + 2)};
    found.call_was_out = !row.is_null(others + 2);
    found.request_id = found.job.request_id;
    found.seq = row.integer(others + 3);
    found.due = {row.text(others + 5), std::chrono::nanoseconds{row.integer(others + 4)}};
    found.detour = static_cast<std::size_t>(row.integer(others + 6));
    result.push_back(std::move(found));
  }
  return result;
}

} // namespace mistify::store
