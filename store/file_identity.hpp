#pragma once

#include <string>
#include <sys/types.h>

namespace mistify::store {

/// Identifies a file independently of its name.
struct file_identity {
  dev_t device = 0;
  ino_t inode = 0; ///< 0: no such file

  bool operator==(const file_identity&) const = default;
  explicit operator bool() const noexcept { return inode != 0; }
};

/// Returns the identity of the file that the path leads to. One system call.
file_identity identity_of(const std::string& path) noexcept;
file_identity identity_of(int descriptor) noexcept;

} // namespace mistify::store
