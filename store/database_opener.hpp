#pragma once

#include "store/file_lock.hpp"
#include "store/sqlite.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace mistify::store {

/// Where the database of that path lies: the file itself, whatever link leads to it. Makes its folder if absent; throws
/// `failure{storage_failed}` where no database can be.
std::string usable_place(const std::string& path);

/// Throws `failure{storage_failed}` with what is wrong. Reads the whole file.
void check_for_corruption(database& db);

/// The writer's hold of a database file: alone among agents, checked, and of this agent's schema.
///
/// Until `accept` the file is only read, except for a schema that is brought up to date; given up before, it leaves
/// neither a changed file nor new ones beside it.
class opened_file {
public:
  /// Throws `failure{storage_failed}` without the path in its message.
  explicit opened_file(const std::string& path);
  ~opened_file();

  database& db() noexcept { return *db_; }
  const database& db() const noexcept { return *db_; }

  /// Throws when the path leads to another file than the open one, or to none: what is written then is lost with it. The
  /// two files beside it, which hold what was written last, count too.
  void require_in_place() const;

  /// From now on the file is this agent's: closing tidies the WAL away. `max_bytes` bounds its size; 0 does not.
  void accept(std::size_t max_bytes);

private:
  void open(const std::string& path);

  struct part {
    std::string path;
    file_identity known;
  };

  std::string path_;                // as it is configured: a link that leads elsewhere later is noticed
  std::optional<file_lock> lock_;   // goes last: closing any descriptor of the file ends SQLite's locks on it
  std::vector<part> parts_;         // known from `accept` on
  std::vector<std::string> litter_; // what an attempt makes that was not there before
  std::optional<database> db_;
};

} // namespace mistify::store
