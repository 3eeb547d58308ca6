#pragma once

#include "store/journal.hpp"

#include <cstddef>
#include <string>

/// Taking over the database of the original, the agent in Go: one SQLite table `mistify_agent(key, bucket, value)` with
/// JSON values. All functions belong to the start of the agent, before a journal is opened, on one thread.
namespace mistify::store {

/// What a take-over brought.
struct import_report {
  std::size_t guests = 0;
  std::size_t metadata = 0;    ///< keys of the hypervisor
  std::size_t jobs = 0;        ///< in the log now
  std::size_t interrupted = 0; ///< had not ended, and ended as errors
  std::size_t pruned = 0;      ///< the oldest jobs, left out because the log keeps no more
  std::size_t broken = 0;      ///< rows set aside
  std::string copy;            ///< where the original file is kept
};

/// Whether the file is a database of the original's layout. False for one that is not there or cannot be read: whoever
/// opens it next says what is wrong. Changes nothing, not even by recovering it.
bool is_legacy_database(const std::string& path);

/// Makes the database at `settings.path` from the original's at `source`, which may be the same file.
///
/// `source`, as it was, is kept beside the new database as `NAME.original`, or `NAME.original.1` and so on where that
/// name is taken. Broken rows are skipped and kept in the table `broken_rows`. Jobs that had not ended end in `error`,
/// the guests whose create that was become `error` too; of all jobs the newest `settings.keep_jobs` stay.
/// `settings.warn` is told of each oddity and, at the end, of what came over.
///
/// All or nothing: killed at any moment, it leaves the database as it was or finished. Throws `failure{storage_failed}`
/// and changes nothing where `source` is no such database, is corrupt or being written, or where `settings.path` cannot
/// be written or has another database.
import_report import_legacy(const std::string& source, const journal_settings& settings);

/// What the agent does first at every start: imports the database at `settings.path` itself if it is of the original's
/// layout, else the one that the operator named, if any and if there is no database yet. Throws as `import_legacy`.
void take_over_legacy(const std::string& import_from, const journal_settings& settings);

} // namespace mistify::store
