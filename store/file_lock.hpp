#pragma once

#include <string>

namespace mistify::store {

/// Holds a lock file, against other processes and against this one. The kernel lets go of it however the process ends,
/// so a file that a crash left behind locks nobody out.
class file_lock {
public:
  /// Throws `failure{storage_failed}` when somebody else holds it or the file cannot be made.
  explicit file_lock(std::string path);
  ~file_lock(); ///< removes the file
  file_lock(const file_lock&) = delete;
  file_lock& operator=(const file_lock&) = delete;

private:
  std::string path_;
  int descriptor_ = -1;
};

} // namespace mistify::store
