#pragma once

#include "store/file_identity.hpp"

#include <string>

namespace mistify::store {

/// Holds a file, against other processes and against this one. The kernel lets go of it however the process ends, so a
/// file that a crash left behind locks nobody out.
class file_lock {
public:
  enum class what {
    lock_file, ///< a file for the lock alone; its end removes it
    database,  ///< the database itself, which is made if absent and stays
  };

  /// Throws `failure{storage_failed}` when somebody else holds it or the file cannot be made.
  explicit file_lock(std::string path, what kind = what::lock_file);
  ~file_lock();
  file_lock(const file_lock&) = delete;
  file_lock& operator=(const file_lock&) = delete;

  /// The file that is locked.
  const file_identity& locked() const noexcept { return locked_; }

private:
  std::string path_;
  what kind_;
  int descriptor_ = -1;
  file_identity locked_;
};

} // namespace mistify::store
