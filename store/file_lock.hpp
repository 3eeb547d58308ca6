#pragma once

#include "store/file_identity.hpp"

#include <string>

namespace mistify::store {

/// An exclusive lock on a file, against other processes and this one. The kernel releases it when the process ends,
/// so a lock file left by a crash locks nothing.
class file_lock {
public:
  enum class what {
    lock_file, ///< a file used only for locking; the destructor removes it
    database,  ///< the database itself; created if absent and not removed
  };

  /// Throws `failure{storage_failed}` if the file is locked already or cannot be created.
  explicit file_lock(std::string path, what kind = what::lock_file);
  ~file_lock();
  file_lock(const file_lock&) = delete;
  file_lock& operator=(const file_lock&) = delete;

  /// The identity of the locked file.
  const file_identity& locked() const noexcept { return locked_; }

private:
  std::string path_;
  what kind_;
  int descriptor_ = -1;
  file_identity locked_;
};

} // namespace mistify::store
