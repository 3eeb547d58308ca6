#pragma once

#include "store/file_lock.hpp"
#include "store/sqlite.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace mistify::store {

/// Returns the real path of the database, with links resolved. Creates its folder if absent; throws
/// `failure{storage_failed}` if no database can be there.
std::string usable_place(const std::string& path);

/// Reads the whole file. Throws `failure{storage_failed}` with what is wrong.
void check_for_corruption(database& db);

/// A database file opened by the only writer: locked against other agents, checked, and migrated to this agent's
/// schema.
///
/// Until `accept` the file is only read, except by a migration. If it is destroyed before `accept`, it leaves neither
/// a changed file nor new files beside it.
class opened_file {
public:
  /// Throws `failure{storage_failed}` without the path in its message.
  explicit opened_file(const std::string& path);
  ~opened_file();

  database& db() noexcept { return *db_; }
  const database& db() const noexcept { return *db_; }

  /// Throws if the path no longer leads to the open file, because later writes would be lost. Checks the WAL and the
  /// shared-memory file too: they hold the latest writes.
  void require_in_place() const;

  /// Commits to the file: closing it from now on empties the WAL. `max_bytes` bounds the file's size; 0: no bound.
  void accept(std::size_t max_bytes);

private:
  void open(const std::string& path);
  void empty_wal_at_close() noexcept;

  struct part {
    std::string path;
    file_identity known;
  };

  std::string path_;                // as configured; a link that is changed later is noticed
  std::optional<file_lock> lock_;   // destroyed last: closing any descriptor of the file releases SQLite's locks on it
  std::vector<part> parts_;         // set by `accept`
  std::vector<std::string> litter_; // files that this attempt created
  std::optional<database> db_;
};

} // namespace mistify::store
