#pragma once

#include <string>
#include <sys/types.h>

namespace mistify::store {

/// Which file it is, whatever its name.
struct file_identity {
  dev_t device = 0;
  ino_t inode = 0; ///< 0: there is no such file

  bool operator==(const file_identity&) const = default;
  explicit operator bool() const noexcept { return inode != 0; }
};

/// Of the file that a path leads to. One system call.
file_identity identity_of(const std::string& path) noexcept;
file_identity identity_of(int descriptor) noexcept;

} // namespace mistify::store
