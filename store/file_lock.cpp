#include "store/file_lock.hpp"

#include "rpc/base/error.hpp"
#include "store/disk_error.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace mistify::store {

namespace {

[[noreturn]] void refuse(const std::string& why) {
  throw rpc::failure{rpc::errc::storage_failed, why};
}

} // namespace

/// A lock is valid only if the path still leads to the locked file: its last holder may have removed the file between
/// this process's open and its lock.
file_lock::file_lock(std::string path, what kind) : path_{std::move(path)}, kind_{kind} {
  for (;;) {
    descriptor_ = open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor_ < 0)
      refuse(std::string{kind_ == what::database ? "cannot open the file: " : "cannot make the lock file: "} +
             describe_error(errno));
    if (flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
      auto held = errno == EWOULDBLOCK;
      auto reason = describe_error(errno);
      close(descriptor_);
      refuse(held ? "the file is in use by another agent" : "cannot lock: " + reason);
    }
    locked_ = identity_of(descriptor_);
    if (identity_of(path_) == locked_)
      return;
    close(descriptor_);
  }
}

file_lock::~file_lock() {
  if (kind_ == what::lock_file)
    unlink(path_.c_str()); // before the lock is released, or the next holder's file would be removed
  close(descriptor_);
}

} // namespace mistify::store
