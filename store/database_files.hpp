#pragma once

#include <string>

/// Database files as files: copied, made durable, put in the place of another. Everything throws
/// `failure{storage_failed}` with what the kernel said.
namespace mistify::store {

/// The name of a file that is only there while something is made. What an attempt that was killed left under the name
/// is removed first; what is under it at the end, with the journals beside it, is removed too.
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

/// Copies a database that any program may have open, with the journals that a crash left beside it; opening the copy
/// brings it to its last commit. The original is only read. Refuses one that is being written at that moment.
void copy_database(const std::string& from, const std::string& to);

/// What may be done with `from` may be done with `to`, and no more.
void copy_permissions(const std::string& from, const std::string& to);

/// Removes the journals beside a database, which must be closed and complete without them, or gone.
void remove_journals(const std::string& database);

/// Waits until a file, or the names in a folder, are on disk.
void sync_to_disk(const std::string& path);

/// Renames `copy` to the first free name of `path`.original, `path`.original.1 and so on; where the same bytes have
/// such a name already, that one does. Returns it.
std::string keep_as_original(const std::string& copy, const std::string& path);

/// Replaces what is at `to`, in one instant and durably, by a file of the same folder that was synced to disk.
void put_in_place(const std::string& from, const std::string& to);

} // namespace mistify::store
