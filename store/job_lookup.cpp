#include "rpc/base/json.hpp"
#include "store/job_rows.hpp"
#include "store/jobs.hpp"

#include <limits>
#include <utility>

namespace mistify::store {

namespace {

// The columns of `read_head`, in order: what a filter looks at. Then what `keep_last_labels` wrote.
const std::string head_columns = "id, guest, action, status, queued_at, code, CASE WHEN status >= 2 AND action IN "
                                 "('delete', 'containerDelete', 'adopt') "
                                 "AND substr(request, 1, 1) = '[' THEN request ELSE '' END";

rpc::job read_head(const query& row) {
  rpc::job job;
  job.id = row.text(0);
  job.guest_id = row.text(1);
  job.action = row.text(2);
  job.status = static_cast<rpc::job_status>(row.integer(3));
  job.queued_at = from_column(row.integer(4));
  job.code = static_cast<rpc::job_code>(row.integer(5));
  return job;
}

std::optional<rpc::metadata_map> read_last_labels(const query& row) {
  const auto text = row.text(6);
  if (text.empty())
    return std::nullopt;
  rpc::metadata_map labels;
  try {
    const auto document = rpc::json::document::parse(text);
    for (const rpc::json::node& one : document.root().items("labels"))
      for (const auto& [key, value] : one.members("labels"))
        labels.insert_or_assign(std::string{key}, value.as_string("labels"));
  } catch (const rpc::failure&) { // changed by another program: the guest is gone all the same
    labels.clear();
  }
  return labels;
}

std::vector<rpc::job> read_jobs(query rows) {
  std::vector<rpc::job> result;
  while (rows.next())
    result.push_back(read_job(rows));
  return result;
}

/// Where jobs that a filter asks for are found with the fewest rows read: the table with an index, and the index's own
/// condition. Only failed jobs have a code.
std::pair<std::string, std::string> place_of(const job_filter& which) {
  if (!which.guest.empty())
    return {jobs_by_guest, ""};
  if (which.status && !rpc::has_ended(*which.status))
    return {"jobs INDEXED BY jobs_unfinished", "status < 2 AND "};
  if (which.status == rpc::job_status::error || (which.code && *which.code != rpc::job_code::none))
    return {"jobs INDEXED BY jobs_failed", "status = 3 AND "};
  return {"jobs", ""};
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

job_lookup::job_lookup(const database& db)
  : db_{db}, find_{db, "SELECT " + job_columns + " FROM jobs WHERE id = ?"},
    latest_{db, "SELECT " + job_columns + " FROM jobs ORDER BY seq DESC LIMIT ?"},
    latest_of_{db, "SELECT " + job_columns + " FROM " + jobs_by_guest + " WHERE " + of_guest +
                     " ORDER BY seq DESC LIMIT ?2"},
    heads_{db, "SELECT " + head_columns + " FROM jobs ORDER BY seq DESC LIMIT ?"},
    heads_of_{db, "SELECT " + head_columns + " FROM " + jobs_by_guest + " WHERE " + of_guest + " ORDER BY seq DESC"} {}

std::optional<rpc::job> job_lookup::find(std::string_view id) {
  auto row = find_(id);
  return row.next() ? std::optional{read_job(row)} : std::nullopt;
}

std::vector<rpc::job> job_lookup::latest(const job_filter& which, std::size_t limit) {
  if (!which.is_for_guest_only())
    return search(which, limit);
  return which.guest.empty() ? read_jobs(latest_(limit)) : read_jobs(latest_of_(which.guest, limit));
}

void job_lookup::visit(std::string_view guest, const job_visitor& see) {
  auto row = guest.empty() ? heads_(std::numeric_limits<std::int64_t>::max()) : heads_of_(guest);
  while (row.next()) {
    const auto labels = read_last_labels(row);
    if (!see(read_head(row), labels ? &*labels : nullptr))
      return;
  }
}

/// Looks at most at the whole log (`limits.jobs_most`), in the order of queueing. Unfinished and failed jobs have
/// indexes of their own.
std::vector<rpc::job> job_lookup::search(const job_filter& which, std::size_t limit) {
  const auto [table, condition] = place_of(which);
  statement find{db_, "SELECT " + job_columns + " FROM " + table + " WHERE " + condition + conditions_of(which) +
                        " ORDER BY seq DESC LIMIT ?8"};
  return read_jobs(find(which.guest, 0, which.action, number(which.status.value_or(rpc::job_status::queued)),
                        number(which.code.value_or(rpc::job_code::none)),
                        to_column(which.since.value_or(rpc::timestamp{})),
                        to_column(which.before.value_or(rpc::timestamp{})), limit));
}

} // namespace mistify::store
