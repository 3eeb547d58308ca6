#pragma once

#include <string>

/// Operations on database files: copy, sync, replace. Every function throws `failure{storage_failed}` with the
/// kernel's error text.
namespace mistify::store {

/// The name of a temporary file. The constructor removes what a killed attempt left under it; the destructor removes
/// the file and the journals beside it.
class scratch_file {
public:
  explicit scratch_file(std::string path);
  ~scratch_file();
  scratch_file(const scratch_file&) = delete;
  scratch_file& operator=(const scratch_file&) = delete;

  const std::string& path() const noexcept { return path_; }

private:
  std::string path_;
};

/// Copies a database that other programs may have open, together with the journals that a crash left beside it;
/// opening the copy recovers its last commit. Only reads the original. Throws while the original is being written.
void copy_database(const std::string& from, const std::string& to);

/// Gives `to` the same permissions as `from`.
void copy_permissions(const std::string& from, const std::string& to);

/// Removes the journals beside a database. The database must be closed, and complete without them or removed.
void remove_journals(const std::string& database);

/// Syncs a file, or the names in a folder, to disk.
void sync_to_disk(const std::string& path);

/// Renames `copy` to the first free name of `path`.original, `path`.original.1 and so on, and returns that name. If a
/// file of such a name already has the same bytes, returns its name instead.
std::string keep_as_original(const std::string& copy, const std::string& path);

/// Replaces `to` atomically and durably by `from`, a file of the same folder that was synced to disk.
void put_in_place(const std::string& from, const std::string& to);

} // namespace mistify::store
