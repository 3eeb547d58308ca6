#include "store/schema.hpp"

#include "rpc/base/error.hpp"

#include <array>
#include <string>

namespace mistify::store {

namespace {

// Times are nanoseconds since the epoch, 0 if unset. Statuses are the numbers of rpc::job_status. There are no CHECKs
// on purpose: the start sets broken rows aside one by one instead of refusing the file.
constexpr auto version_1 = R"sql(
CREATE TABLE guests (
  id  TEXT PRIMARY KEY NOT NULL,
  doc TEXT NOT NULL                 -- Guest JSON
) STRICT;

-- The answer that a guest's create got, to give it again. Lives as long as the guest; apart from it, because the start
-- reads all guests and none of these.
CREATE TABLE creates (
  guest     TEXT PRIMARY KEY NOT NULL,
  job       TEXT NOT NULL,
  action    TEXT NOT NULL,
  queued_at INTEGER NOT NULL,
  digest    TEXT NOT NULL,
  doc       TEXT NOT NULL           -- Guest JSON as first stored
) STRICT;

CREATE TABLE metadata (             -- the hypervisor's
  key   TEXT PRIMARY KEY NOT NULL,
  value TEXT NOT NULL
) STRICT;

CREATE TABLE jobs (
  seq        INTEGER PRIMARY KEY,   -- the order of queueing
  id         TEXT NOT NULL UNIQUE,
  guest      TEXT NOT NULL,         -- or 'agent'
  action     TEXT NOT NULL,
  request    TEXT NOT NULL,         -- JSON for the stages; empty for guest actions
  status     INTEGER NOT NULL,
  stage      INTEGER NOT NULL,      -- where it is, from 0
  stage_name TEXT,                  -- of the call that is out; NULL while none is
  queued_at  INTEGER NOT NULL,
  started_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  message    TEXT NOT NULL
) STRICT;
CREATE INDEX jobs_of_guest ON jobs (guest, seq);
CREATE INDEX jobs_unfinished ON jobs (seq) WHERE status < 2;
CREATE INDEX jobs_ended ON jobs (updated_at, seq) WHERE status >= 2;
CREATE INDEX jobs_broken ON jobs (seq) WHERE status NOT BETWEEN 0 AND 3; -- empty, so that looking costs nothing

CREATE TABLE idempotency (          -- goes with its job
  job       INTEGER PRIMARY KEY,    -- jobs.seq
  key       TEXT NOT NULL UNIQUE,
  digest    TEXT NOT NULL,
  guest_doc TEXT NOT NULL           -- Guest JSON of the first answer; empty for 'agent'
) STRICT;

CREATE TABLE broken_rows (          -- set aside at a start, for people to look at
  source TEXT NOT NULL,
  key    TEXT NOT NULL,
  value  TEXT NOT NULL,
  reason TEXT NOT NULL,
  at     INTEGER NOT NULL
) STRICT;
)sql";

/// The id of the request that queued the job, for the log.
constexpr auto version_2 = "ALTER TABLE jobs ADD COLUMN request_id TEXT NOT NULL DEFAULT ''";

constexpr auto version_3 = R"sql(
CREATE TABLE events (               -- what happened, the newest; see store/events.hpp
  id     INTEGER PRIMARY KEY,       -- without holes: the highest there is, and one
  at     INTEGER NOT NULL,
  type   INTEGER NOT NULL,
  guest  TEXT NOT NULL,
  job    TEXT NOT NULL,
  action TEXT NOT NULL,
  number INTEGER NOT NULL,
  text   TEXT NOT NULL
) STRICT;
)sql";

constexpr auto version_4 = R"sql(
CREATE TABLE event_log (            -- what happened, the newest: a row for each commit that told something
  last   INTEGER PRIMARY KEY,       -- numbers of its last event and of its first; without holes
  first  INTEGER NOT NULL,
  events TEXT NOT NULL              -- JSON, see store/events.cpp
) STRICT;
INSERT INTO event_log SELECT id, id, json_array(json_array(at, type, guest, job, action, number, text)) FROM events;
DROP TABLE events;
)sql";

/// Each job of a batch touches one page of this index, and so does each pruned job: short entries need a third of the
/// pages. The expression must match the one in `jobs.cpp`.
constexpr auto version_5 = R"sql(
DROP INDEX jobs_of_guest;
CREATE INDEX jobs_of_guest ON jobs (substr(guest, 5, 4) || substr(guest, 33, 4), seq);
)sql";

/// Pruning used the wall clock before, which may be set.
constexpr auto version_6 = R"sql(
ALTER TABLE jobs ADD COLUMN ended INTEGER NOT NULL DEFAULT 0; -- the order of ending, from 1; 0 before
UPDATE jobs SET ended = ranked.place FROM (
  SELECT seq AS job, row_number() OVER (ORDER BY updated_at, seq) AS place FROM jobs WHERE status >= 2
) AS ranked WHERE jobs.seq = ranked.job;
DROP INDEX jobs_ended;
CREATE INDEX jobs_ended ON jobs (ended) WHERE status >= 2;

CREATE TABLE event_epochs (         -- see store/event_epochs.hpp
  begins INTEGER PRIMARY KEY,       -- the last event before it
  name   TEXT NOT NULL
) STRICT;
INSERT INTO event_epochs VALUES (0, lower(hex(randomblob(8))));
)sql";

constexpr auto version_7 = R"sql(
CREATE TABLE tokens (               -- see store/tokens.hpp
  id        TEXT PRIMARY KEY NOT NULL,
  name      TEXT NOT NULL UNIQUE,
  hash      TEXT NOT NULL,          -- SHA-256 of the secret
  role      TEXT NOT NULL,
  scopes    TEXT NOT NULL,
  guests    TEXT NOT NULL,          -- selector as JSON, or empty
  service   TEXT NOT NULL,
  created   INTEGER NOT NULL,
  last_used INTEGER NOT NULL,
  expires   INTEGER NOT NULL,
  old_hash  TEXT NOT NULL,          -- of secrets before rotations, see store/tokens.cpp
  old_until INTEGER NOT NULL
) STRICT;
)sql";

constexpr auto version_8 = R"sql(
CREATE TABLE audit (                -- see store/audit.hpp
  id         INTEGER PRIMARY KEY,
  at         INTEGER NOT NULL,
  refused    INTEGER NOT NULL,      -- 1: has its own room
  who        TEXT NOT NULL,
  how        TEXT NOT NULL,
  key        TEXT NOT NULL,
  scope      TEXT NOT NULL,
  decision   TEXT NOT NULL,
  status     INTEGER NOT NULL,
  method     TEXT NOT NULL,
  path       TEXT NOT NULL,
  guest      TEXT NOT NULL,
  job        TEXT NOT NULL,
  action     TEXT NOT NULL,
  request_id TEXT NOT NULL,
  peer       TEXT NOT NULL,
  process    TEXT NOT NULL,
  missed     INTEGER NOT NULL
) STRICT;
CREATE INDEX audit_of_kind ON audit (refused, id);
)sql";

/// Tells this database from others in a cluster.
constexpr auto version_9 = R"sql(
CREATE TABLE instance (id TEXT NOT NULL) STRICT;
INSERT INTO instance VALUES (lower(hex(randomblob(16))));
)sql";

constexpr auto version_10 = R"sql(
CREATE TABLE host (                 -- see store/host_table.hpp
  key   TEXT PRIMARY KEY NOT NULL,
  value TEXT NOT NULL
) STRICT;
INSERT INTO host VALUES ('tag_key', lower(hex(randomblob(32))));
)sql";

/// Why a job failed, where it is, who asked for it; and what the agent does with guests by itself.
constexpr auto version_11 = R"sql(
ALTER TABLE jobs ADD COLUMN code INTEGER NOT NULL DEFAULT 0;     -- number of rpc::job_code
ALTER TABLE jobs ADD COLUMN user TEXT NOT NULL DEFAULT '';
ALTER TABLE jobs ADD COLUMN stages TEXT NOT NULL DEFAULT '';     -- JSON, see store/job_columns.hpp; empty: none began
ALTER TABLE jobs ADD COLUMN progress TEXT NOT NULL DEFAULT '';   -- JSON [done, total, unit], or empty
ALTER TABLE jobs ADD COLUMN due INTEGER NOT NULL DEFAULT 0;      -- of the stage: nanoseconds since the boot
ALTER TABLE jobs ADD COLUMN due_boot TEXT NOT NULL DEFAULT '';   -- of which boot; empty: no such time
ALTER TABLE jobs ADD COLUMN detour INTEGER NOT NULL DEFAULT 0;   -- from this stage on it is another action's; 0: none
UPDATE jobs SET code = 13 WHERE status = 3;                      -- failed
CREATE INDEX jobs_failed ON jobs (seq) WHERE status = 3;

CREATE TABLE boots (                -- the boot of the host that the agent saw last: one row, or none
  id TEXT PRIMARY KEY NOT NULL
) STRICT;
CREATE TABLE boot_starts (          -- guests that are still to be started because of it
  guest TEXT PRIMARY KEY NOT NULL
) STRICT;
)sql";

/// One job may answer several keys: those of requests that repeat it.
constexpr auto version_12 = R"sql(
CREATE TABLE idempotency_keys (     -- they go with their job
  key       TEXT PRIMARY KEY NOT NULL,
  job       INTEGER NOT NULL,       -- jobs.seq
  digest    TEXT NOT NULL,
  guest_doc TEXT NOT NULL           -- Guest JSON of the first answer; empty for 'agent'
) STRICT, WITHOUT ROWID;
INSERT INTO idempotency_keys SELECT key, job, digest, guest_doc FROM idempotency;
DROP TABLE idempotency;
ALTER TABLE idempotency_keys RENAME TO idempotency;
CREATE INDEX idempotency_of_job ON idempotency (job);
)sql";

constexpr std::array steps_of_schema{version_1, version_2, version_3, version_4,  version_5,  version_6,
                                     version_7, version_8, version_9, version_10, version_11, version_12};

[[noreturn]] void refuse(std::string why) {
  throw rpc::failure{rpc::errc::storage_failed, std::move(why)};
}

void set_pragma(database& db, const char* name, std::int64_t value) {
  db.execute(("PRAGMA " + std::string{name} + " = " + std::to_string(value)).c_str());
}

} // namespace

std::span<const char* const> migrations() noexcept {
  return steps_of_schema;
}

std::size_t schema_version(database& db) {
  auto version = db.integer("PRAGMA user_version");
  auto application = db.integer("PRAGMA application_id");
  auto empty = db.integer("SELECT count(*) FROM sqlite_schema") == 0;
  if (empty && version == 0 && application == 0)
    return 0;
  if (application != application_id || version < 1)
    refuse("the file belongs to another program");
  if (auto newest = std::ssize(migrations()); version > newest)
    refuse("the schema is version " + std::to_string(version) + ", newer than this agent's " + std::to_string(newest));
  return static_cast<std::size_t>(version);
}

void migrate(database& db, std::span<const char* const> steps) {
  for (auto version = schema_version(db); version < steps.size(); ++version) {
    transaction step{db};
    db.execute(steps[version]);
    // Both pragmas write the file's header, so they commit or roll back with the step.
    set_pragma(db, "application_id", application_id);
    set_pragma(db, "user_version", static_cast<std::int64_t>(version + 1));
    step.commit();
  }
}

} // namespace mistify::store
