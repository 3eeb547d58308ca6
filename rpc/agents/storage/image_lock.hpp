#pragma once

#include "rpc/base/unique_fd.hpp"

#include <filesystem>

namespace mistify::agents::storage {

/// Has a disk's file for itself, by the locks that QEMU uses: fails while a machine or a qemu-img has it open, and keeps them
/// from opening it while it lives. Also for files that another name replaces meanwhile: the lock is of the file itself.
///
/// How QEMU locks is fixed by what runs side by side (block/file-posix.c in its sources): a read lock on byte 100+P tells
/// that permission P is used, on 200+P that it is shared with nobody.
class image_lock {
public:
  /// Throws std::runtime_error where the disk is in use, and std::system_error where it cannot be opened.
  explicit image_lock(const std::filesystem::path& file);

private:
  rpc::unique_fd fd_; // the locks are its; closing it lets go
};

/// Keeps others from writing to an open file, for as long as it is open; reading is not in the way.
void lock_for_reading(int fd);

} // namespace mistify::agents::storage
