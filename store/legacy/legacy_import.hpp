#pragma once

#include "store/journal.hpp"

#include <cstddef>
#include <string>

/// Imports the database of the original agent, written in Go: one SQLite table `mistify_agent(key, bucket, value)`
/// with JSON values. All functions run at the agent's start, before a journal is opened, on one thread.
namespace mistify::store {

/// The result of an import.
struct import_report {
  std::size_t guests = 0;
  std::size_t metadata = 0;    ///< keys of the hypervisor's metadata
  std::size_t jobs = 0;        ///< now in the log
  std::size_t interrupted = 0; ///< unfinished jobs, which ended as errors
  std::size_t pruned = 0;      ///< the oldest jobs, left out because of the log's bound
  std::size_t broken = 0;      ///< rows set aside
  std::string copy;            ///< path of the original file's copy
};

/// Returns true if the file is a database of the original's layout. False if it is missing or unreadable; the later
/// open reports why. Changes nothing, not even by recovering the file.
bool is_legacy_database(const std::string& path);

/// Creates the database at `settings.path` from the original's at `source`, which may be the same file.
///
/// `source` is kept unchanged beside the new database as `NAME.original`, or `NAME.original.1` and so on if that name
/// is taken. Broken rows are stored in the table `broken_rows`. Unfinished jobs end in `error`, and a guest whose
/// create was unfinished becomes `error` too; the newest `settings.keep_jobs` jobs are kept. `settings.warn` is
/// called for each irregularity and, at the end, with a summary.
///
/// Atomic: killed at any moment, it leaves the database either unchanged or finished. Throws
/// `failure{storage_failed}` and changes nothing if `source` is not such a database, is corrupt or being written, or
/// if `settings.path` cannot be written or has another database.
import_report import_legacy(const std::string& source, const journal_settings& settings);

/// Runs first at every start. Imports the database at `settings.path` if it has the original's layout; otherwise
/// imports `import_from` if it is not empty and no database exists yet. Throws as `import_legacy`.
void take_over_legacy(const std::string& import_from, const journal_settings& settings);

} // namespace mistify::store
