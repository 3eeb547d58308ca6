#include "test/store/fixture.hpp"

#include "store/events.hpp"
#include "store/guests.hpp"
#include "store/idempotency.hpp"
#include "store/jobs.hpp"
#include "store/schema.hpp"

#include <sqlite3.h>

using namespace mistify;
using namespace mistify::store;

TEST_CASE("a new file gets the newest schema, once") {
  temp_folder folder;
  database db{folder / "a.db", database::access::read_write};
  CHECK(schema_version(db) == 0);
  migrate(db);
  CHECK(schema_version(db) == migrations().size());
  CHECK(db.integer("PRAGMA application_id") == application_id);
  migrate(db);
  CHECK(db.integer("SELECT count(*) FROM jobs") == 0);
}

TEST_CASE("a migration that fails leaves the steps before it and nothing of itself") {
  temp_folder folder;
  database db{folder / "a.db", database::access::read_write};
  std::vector<const char*> steps{"CREATE TABLE one (x)", "CREATE TABLE two (x); CREATE TABLE one (x)"};
  CHECK_THROWS_AS(migrate(db, steps), rpc::failure);
  CHECK(db.integer("PRAGMA user_version") == 1);
  CHECK(db.integer("SELECT count(*) FROM sqlite_schema WHERE name IN ('one', 'two')") == 1);
}

TEST_CASE("a file of the first schema is brought up to date with what is in it") {
  temp_folder folder;
  const auto path = folder / "a.db";
  {
    database db{path, database::access::read_write};
    migrate(db, migrations().first(1));
    db.execute("INSERT INTO guests VALUES ('g', '{\"id\":\"g\"}');"
               "INSERT INTO jobs VALUES (1, 'j', 'g', 'reboot', '', 0, 0, NULL, 1, 0, 1, '')");
  }
  guest_index published;
  journal_settings settings;
  settings.path = path;
  const journal log{settings, published};
  CHECK(published.find("g"));
  const auto left = log.unfinished();
  REQUIRE(left.size() == 1);
  CHECK(left[0].job.id == "j");
  CHECK(left[0].request_id.empty());
  CHECK(job_reader{path}.latest_of("g", 2).size() == 1);
}

TEST_CASE("events keep their numbers when their log becomes one row for each commit") {
  temp_folder folder;
  database db{folder / "a.db", database::access::read_write};
  migrate(db, migrations().first(3));
  db.execute(
    "INSERT INTO events VALUES (7, 70, 2, 'g', '', '', 0, 'it \"runs\"'), (8, 80, 8, 'g', 'j', 'reboot', 3, '')");
  migrate(db);
  event_table events{db};
  CHECK(events.first() == 7);
  CHECK(events.last() == 8);
  std::vector<event> news(2);
  news[0].id = 9;
  news[1].id = 10;
  events.append(news);
  event_lookup read{db};
  const auto told = read.after(0, 100);
  REQUIRE(told.size() == 4);
  CHECK(told[0]->id == 7);
  CHECK(told[0]->at == rpc::timestamp{std::chrono::nanoseconds{70}});
  CHECK(told[0]->type == event_type::guest_changed);
  CHECK(told[0]->guest == "g");
  CHECK(told[0]->text == "it \"runs\"");
  CHECK(told[1]->job == "j");
  CHECK(told[1]->action == "reboot");
  CHECK(told[1]->number == 3);
  CHECK(read.after(7, 2).at(1)->id == 9);
  CHECK(read.after(9, 2).at(0)->id == 10); // from within a commit
  db.execute("UPDATE event_log SET events = '[[1,2]]' WHERE last = 8");
  CHECK(failure_of([&] { read.after(0, 100); }).code() == rpc::errc::storage_failed);
}

TEST_CASE("a file of another program or of a newer agent is refused") {
  temp_folder folder;
  database db{folder / "a.db", database::access::read_write};
  SECTION("another program") {
    db.execute("CREATE TABLE mistify_agent (key TEXT, bucket TEXT, value BLOB)");
    CHECK(failure_of([&] { schema_version(db); }).message() == "the file belongs to another program");
  }
  SECTION("a newer agent") {
    migrate(db);
    db.execute("PRAGMA user_version = 77");
    CHECK(failure_of([&] { migrate(db); }).message() ==
          "the schema is version 77, newer than this agent's " + std::to_string(migrations().size()));
  }
}

namespace {

/// How SQLite would run a statement, one line a table; parameters stay unbound.
std::vector<std::string> plan_of(database& db, const std::string& sql) {
  std::vector<std::string> lines;
  statement explain{db, "EXPLAIN QUERY PLAN " + sql};
  for (auto row = explain(); row.next();)
    lines.push_back(row.text(3));
  return lines;
}

std::vector<std::string> statements_of(const database& db) {
  std::vector<std::string> result;
  for (auto next = sqlite3_next_stmt(db.handle(), nullptr); next; next = sqlite3_next_stmt(db.handle(), next))
    result.emplace_back(sqlite3_sql(next));
  return result;
}

/// Reading a table in its order up to a limit, or all of the small metadata table, is meant.
bool is_meant(const std::string& sql, const std::string& line) {
  if (sql.starts_with("SELECT (SELECT count(*) FROM jobs) -"))
    return true; // once a start, over pages of an index
  if (line.find("jobs_of_guest") != std::string::npos)
    return false; // of a guest's jobs only
  auto in_order = sql.ends_with("FROM jobs ORDER BY seq DESC LIMIT ?") || sql.ends_with(" LIMIT 1");
  auto partial = line.find("INDEX jobs_") != std::string::npos;
  auto subselect = line.starts_with("SCAN jobs USING") || sql == "SELECT key, value FROM metadata";
  return in_order || partial || subselect;
}

} // namespace

TEST_CASE("no statement scans a table or sorts") {
  temp_folder folder;
  database db{folder / "a.db", database::access::read_write};
  migrate(db);
  db.compile_at_once();
  job_table jobs{db};
  job_lookup lookup{db};
  guest_table guests{db};
  metadata_table metadata{db};
  idempotency_table keys{db};
  event_table events{db};
  event_lookup event_readers{db};
  auto all = statements_of(db);
  CHECK(all.size() == 18 + 5 + 6 + 3 + 3 + 4 + 1 + 2); // the last two: BEGIN and COMMIT, of the migration
  for (const auto& sql : all)
    for (const auto& line : plan_of(db, sql)) {
      INFO(sql << "\n" << line);
      CHECK((!line.starts_with("SCAN") || is_meant(sql, line)));
      CHECK(line.find("TEMP B-TREE") == std::string::npos);
    }
}

TEST_CASE("jobs of an earlier schema keep their order of ending") {
  journal_fixture f;
  f.log.reset();
  f.path = f.folder / "old.db";
  {
    database db{f.path, database::access::read_write};
    migrate(db, migrations().first(5));
    db.execute(
      "INSERT INTO jobs (seq, id, guest, action, request, status, stage, queued_at, started_at, updated_at, "
      "message) VALUES (1, 'slow', 'agent', 'a', '', 2, 0, 1, 1, 30, ''), (2, 'x', 'agent', 'a', '', 3, 0, 1, 1, "
      "10, ''), (3, 'y', 'agent', 'a', '', 2, 0, 1, 1, 20, ''), (4, 'open', 'agent', 'a', '', 0, 0, 1, 0, 1, '')");
  }
  f.keep_jobs = 2;
  f.open();
  f.complete("open");
  CHECK(f.logged_ids() == ids{"open", "slow"});
}

TEST_CASE("idempotency keys of an earlier schema are kept") {
  journal_fixture f;
  f.log.reset();
  f.path = f.folder / "old.db";
  {
    database db{f.path, database::access::read_write};
    migrate(db, migrations().first(11));
    db.execute("INSERT INTO jobs (seq, id, guest, action, request, status, stage, queued_at, started_at, updated_at, "
               "message) VALUES (7, 'first', 'agent', 'fetchImage', '', 0, 0, 1, 0, 1, '');"
               "INSERT INTO idempotency VALUES (7, 'key', 'digest', '')");
  }
  f.open();
  const auto again = f.batch([&] { return f.log->add_job({"second", "agent", "fetchImage", "", "key", "digest"}); });
  CHECK(again.repeated);
  CHECK(again.job.id == "first");
}
