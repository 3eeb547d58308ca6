#include "store/jobs.hpp"

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
const std::string job_columns = "id, guest, action, status, queued_at, started_at, updated_at, message";

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
  return job;
}

/// The columns after the job's: seq, stage, stage_name.
std::optional<job_row> read_row(query row) {
  if (!row.next())
    return std::nullopt;
  return job_row{row.integer(8), read_job(row), static_cast<std::size_t>(row.integer(9)), row.text(10)};
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

std::int64_t number(rpc::job_status status) noexcept {
  return static_cast<std::int64_t>(status);
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
                "request_id, stage, stage_name) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, nullif(?, ''))"},
    find_{db, "SELECT " + job_columns + ", seq, stage, stage_name FROM jobs WHERE id = ?"},
    update_{db, "UPDATE jobs SET status = ?, started_at = ?, updated_at = ?, stage = ?, stage_name = nullif(?, ''), "
                "message = ? WHERE seq = ?"},
    end_{db, "UPDATE jobs SET status = ?, started_at = ?, updated_at = ?, message = ?, ended = ?, stage_name = NULL "
             "WHERE seq = ?"},
    end_others_{db, "UPDATE " + jobs_by_guest +
                      " SET status = ?2, updated_at = ?3, message = ?4, ended = ?6, stage_name = NULL WHERE " +
                      of_guest + " AND status < 2 AND seq <> ?5 RETURNING id, action"},
    prune_keys_{db, "DELETE FROM idempotency WHERE job IN " + std::string{oldest_ended}},
    prune_{db, "DELETE FROM jobs WHERE seq IN " + std::string{oldest_ended}},
    count_ended_{db, "SELECT count(*) FROM jobs INDEXED BY jobs_ended WHERE status >= 2"},
    unfinished_{db,
                "SELECT " + job_columns +
                  ", request, stage, stage_name, request_id, seq FROM jobs INDEXED BY jobs_unfinished WHERE status < 2 "
                  "ORDER BY seq"},
    has_unfinished_{db, "SELECT 1 FROM " + jobs_by_guest + " WHERE " + of_guest +
                          " AND status < 2 ORDER BY seq DESC LIMIT 1"},
    find_delete_{db, "SELECT " + job_columns + ", seq, stage, stage_name FROM " + jobs_by_guest + " WHERE " + of_guest +
                       " AND status < 2 AND action IN ('delete', 'containerDelete') ORDER BY seq LIMIT 1"},
    replace_request_{db, "UPDATE jobs SET request = ? WHERE seq = ?"},
    first_ended_{db, "SELECT ended FROM jobs INDEXED BY jobs_ended WHERE status >= 2 ORDER BY ended LIMIT 1"},
    last_ended_{db, "SELECT ended FROM jobs INDEXED BY jobs_ended WHERE status >= 2 ORDER BY ended DESC LIMIT 1"} {}

void job_table::insert(job_row& row, std::string_view request, std::string_view request_id) {
  const auto& job = row.job;
  insert_.run(job.id, job.guest_id, job.action, number(job.status), to_column(job.queued_at), to_column(job.started_at),
              to_column(job.updated_at), job.message, request, request_id, row.stage, row.stage_name);
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
              job.message, row.seq);
}

void job_table::end(const job_row& row) {
  const auto& job = row.job;
  end_.run(number(job.status), to_column(job.started_at), to_column(job.updated_at), job.message, row.ended, row.seq);
}

std::vector<rpc::job> job_table::end_others(const job_row& but, std::int64_t number_of_end, std::string_view message) {
  std::vector<rpc::job> ended;
  for (auto row = end_others_(but.job.guest_id, number(rpc::job_status::error), to_column(but.job.updated_at), message,
                              but.seq, number_of_end);
       row.next();) {
    auto& job = ended.emplace_back();
    job.id = row.text(0);
    job.guest_id = but.job.guest_id;
    job.action = row.text(1);
    job.status = rpc::job_status::error;
    job.message = message;
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
    unfinished_job found{read_job(row), row.text(8), static_cast<std::size_t>(row.integer(9)), row.text(10)};
    found.call_was_out = !row.is_null(10);
    found.request_id = row.text(11);
    found.seq = row.integer(12);
    result.push_back(std::move(found));
  }
  return result;
}

// -- for readers ---------------------------------------------------------------------------------------------------

job_lookup::job_lookup(const database& db)
  : find_{db, "SELECT " + job_columns + " FROM jobs WHERE id = ?"}, latest_{db,
                                                                            "SELECT " + job_columns +
                                                                              " FROM jobs ORDER BY seq DESC LIMIT ?"},
    latest_of_{db, "SELECT " + job_columns + " FROM " + jobs_by_guest + " WHERE " + of_guest +
                     " ORDER BY seq DESC LIMIT ?2"} {}

std::optional<rpc::job> job_lookup::find(std::string_view id) {
  auto row = find_(id);
  return row.next() ? std::optional{read_job(row)} : std::nullopt;
}

std::vector<rpc::job> job_lookup::latest(std::size_t limit) {
  return read_jobs(latest_(limit));
}

std::vector<rpc::job> job_lookup::latest_of(std::string_view guest_id, std::size_t limit) {
  return read_jobs(latest_of_(guest_id, limit));
}

} // namespace mistify::store
