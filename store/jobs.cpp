#include "store/jobs.hpp"

#include "store/job_columns.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace mistify::store {

namespace {

// Without INDEXED BY the planner, which has no statistics, might scan the table instead of using the partial index.
// Oldest by its end: a long job must not leave the log the moment it ends, before a client saw the outcome.
constexpr auto oldest_ended =
  "(SELECT seq FROM jobs INDEXED BY jobs_ended WHERE status >= 2 AND ended <= ? ORDER BY ended, seq LIMIT ?)";

// Jobs of the guest ?1. The index has only eight characters of an id: ones that differ between UUIDs of every
// version, even if created at one time or on one host. (Without the plus the planner substitutes ?1 for `guest` and
// finds no index.)
const std::string jobs_by_guest = "jobs INDEXED BY jobs_of_guest";
const std::string of_guest =
  "substr(guest, 5, 4) || substr(guest, 33, 4) = substr(?1, 5, 4) || substr(?1, 33, 4) AND +guest = ?1";

// The columns that `read_job` reads, in order.
const std::string job_columns =
  "id, guest, action, status, queued_at, started_at, updated_at, message, code, stages, progress, request_id, user";

// The first column after them.
constexpr int others = 13;

rpc::job read_job(const query& row) {
  rpc::job job;
  job.id = row.text(0);
  job.guest_id = row.text(1);
  job.action = row.text(2);
  job.status = static_cast<rpc::job_status>(row.integer(3));
  job.queued_at = from_column(row.integer(4));
  job.started_at = from_column(row.integer(5));
  job.updated_at = from_column(row.integer(6));
  job.message = row.text(7);
  job.code = static_cast<rpc::job_code>(row.integer(8));
  read_stages_column(row.text(9), job);
  job.progress = read_progress_column(row.text(10));
  job.request_id = row.text(11);
  job.user = row.text(12);
  return job;
}

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

std::vector<rpc::job> read_jobs(query rows) {
  std::vector<rpc::job> result;
  while (rows.next())
    result.push_back(read_job(rows));
  return result;
}

template <class Enum>
std::int64_t number(Enum value) noexcept {
  return static_cast<std::int64_t>(value);
}

/// What a filter asks for beside the guest, as conditions with a parameter each.
std::string conditions_of(const job_filter& which) {
  std::string sql;
  const auto add = [&](bool wanted, std::string_view condition) {
    if (wanted)
      sql.append(sql.empty() ? "" : " AND ").append(condition);
  };
  add(!which.guest.empty(), of_guest);
  add(true, "seq > ?2"); // so that the parameters have the same numbers whatever is asked for
  add(!which.action.empty(), "action = ?3");
  add(which.status.has_value(), "status = ?4");
  add(which.code.has_value(), "code = ?5");
  add(which.since.has_value(), "queued_at >= ?6");
  add(which.before.has_value(), "queued_at < ?7");
  return sql;
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
    count_ended_{db, "SELECT count(*) FROM jobs INDEXED BY jobs_ended WHERE status >= 2"},
    unfinished_{db, "SELECT " + job_columns +
                      ", request, stage, stage_name, seq, due, due_boot, detour FROM jobs INDEXED BY jobs_unfinished "
                      "WHERE status < 2 "
                      "ORDER BY seq"},
    has_unfinished_{db, "SELECT 1 FROM " + jobs_by_guest + " WHERE " + of_guest +
                          " AND status < 2 ORDER BY seq DESC LIMIT 1"},
    find_delete_{db, "SELECT " + job_columns + ", seq, stage, stage_name FROM " + jobs_by_guest + " WHERE " + of_guest +
                       " AND status < 2 AND action IN ('delete', 'containerDelete') ORDER BY seq LIMIT 1"},
    replace_request_{db, "UPDATE jobs SET request = ? WHERE seq = ?"},
    preemptible_{db, "SELECT id FROM " + jobs_by_guest + " WHERE " + of_guest +
                       " AND status < 2 AND seq < ?2 AND action NOT IN ('delete', 'containerDelete') ORDER BY seq"},
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

void job_table::replace_request(const job_row& row, std::string_view request) {
  replace_request_.run(request, row.seq);
}

void job_table::update(const job_row& row) {
  const auto& job = row.job;
  update_.run(number(job.status), to_column(job.started_at), to_column(job.updated_at), row.stage, row.stage_name,
              job.message, stages_column(job), progress_column(job.progress), row.due.since.count(), row.due.boot,
              row.detour, row.seq);
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

// -- for readers ---------------------------------------------------------------------------------------------------

job_lookup::job_lookup(const database& db)
  : db_{db}, find_{db, "SELECT " + job_columns + " FROM jobs WHERE id = ?"},
    latest_{db, "SELECT " + job_columns + " FROM jobs ORDER BY seq DESC LIMIT ?"},
    latest_of_{db, "SELECT " + job_columns + " FROM " + jobs_by_guest + " WHERE " + of_guest +
                     " ORDER BY seq DESC LIMIT ?2"} {}

std::optional<rpc::job> job_lookup::find(std::string_view id) {
  auto row = find_(id);
  return row.next() ? std::optional{read_job(row)} : std::nullopt;
}

std::vector<rpc::job> job_lookup::latest(const job_filter& which, std::size_t limit) {
  if (!which.is_for_guest_only())
    return search(which, limit);
  return which.guest.empty() ? read_jobs(latest_(limit)) : read_jobs(latest_of_(which.guest, limit));
}

/// Reads at most the whole log (`limits.jobs_most`), in the order of queueing. Unfinished jobs have an index of their own.
std::vector<rpc::job> job_lookup::search(const job_filter& which, std::size_t limit) {
  const bool is_open = which.status && !rpc::has_ended(*which.status);
  const auto table = !which.guest.empty() ? jobs_by_guest
                     : is_open            ? std::string{"jobs INDEXED BY jobs_unfinished"}
                                          : std::string{"jobs"};
  statement find{db_, "SELECT " + job_columns + " FROM " + table + " WHERE " + (is_open ? "status < 2 AND " : "") +
                        conditions_of(which) + " ORDER BY seq DESC LIMIT ?8"};
  return read_jobs(find(which.guest, 0, which.action, number(which.status.value_or(rpc::job_status::queued)),
                        number(which.code.value_or(rpc::job_code::none)),
                        to_column(which.since.value_or(rpc::timestamp{})),
                        to_column(which.before.value_or(rpc::timestamp{})), limit));
}

} // namespace mistify::store
