#include "store/audit.hpp"

#include "store/jobs.hpp"

#include <limits>

namespace mistify::store {

namespace {

/// A row more or less does not matter, and pruning searches.
constexpr std::size_t prune_every = 100;

constexpr auto no_end = std::numeric_limits<std::int64_t>::max();

bool is_refusal(const audit_entry& what) {
  return what.decision == "refused";
}

} // namespace

audit_table::audit_table(const database& db)
  : append_{db,
            "INSERT INTO audit (at, refused, who, how, key, scope, decision, status, method, path, guest, job, action, "
            "request_id, peer, process, missed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"},
    prune_{db, "DELETE FROM audit WHERE refused = ?1 AND id <= (SELECT id FROM audit WHERE refused = ?1 "
               "ORDER BY id DESC LIMIT 1 OFFSET ?2)"} {}

void audit_table::append(const audit_entry& what) {
  const bool refused = is_refusal(what);
  append_.run(to_column(what.at), refused ? 1 : 0, what.who, what.how, what.key, what.scope, what.decision, what.status,
              what.method, what.path, what.guest, what.job, what.action, what.request_id, what.peer, what.process,
              what.missed);
  auto& left = until_pruned_[refused ? 1 : 0];
  if (left == 0) {
    prune_.run(refused ? 1 : 0, most_audited);
    left = prune_every;
  }
  --left;
}

audit_lookup::audit_lookup(const database& db)
  : find_{db,
          "SELECT id, at, who, how, scope, decision, status, method, path, guest, job, action, request_id, peer, "
          "process, missed FROM audit WHERE at >= ?1 AND at < ?2 AND (?3 = '' OR who = ?3) AND (?4 = '' OR how = ?4) "
          "AND (?5 = '' OR scope = ?5) AND (?6 = '' OR decision = ?6) AND (?7 = '' OR guest = ?7) "
          "AND (?8 = '' OR substr(path, 1, length(?8)) = ?8) ORDER BY id DESC LIMIT ?9"},
    jobs_of_{db, "SELECT job FROM audit WHERE key = ? AND job <> '' AND refused = 0"} {}

std::vector<audit_entry> audit_lookup::find(const audit_filter& filter, std::size_t limit) {
  const auto since =
    filter.since == rpc::timestamp{} ? std::numeric_limits<std::int64_t>::min() : to_column(filter.since);
  const auto before = filter.before == rpc::timestamp{} ? no_end : to_column(filter.before);
  std::vector<audit_entry> found;
  for (auto row =
         find_(since, before, filter.who, filter.how, filter.scope, filter.decision, filter.guest, filter.path, limit);
       row.next();) {
    audit_entry one;
    one.id = row.integer(0);
    one.at = from_column(row.integer(1));
    int column = 2;
    for (auto* text : {&one.who, &one.how, &one.scope, &one.decision})
      *text = row.text(column++);
    one.status = static_cast<int>(row.integer(column++));
    for (auto* text :
         {&one.method, &one.path, &one.guest, &one.job, &one.action, &one.request_id, &one.peer, &one.process})
      *text = row.text(column++);
    one.missed = row.integer(column);
    found.push_back(std::move(one));
  }
  return found;
}

std::unordered_set<std::string> audit_lookup::jobs_of(std::string_view key) {
  std::unordered_set<std::string> found;
  for (auto row = jobs_of_(key); row.next();)
    found.insert(row.text(0));
  return found;
}

} // namespace mistify::store
