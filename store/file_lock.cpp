#include "store/file_lock.hpp"

#include "rpc/error.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace mistify::store {

namespace {

[[noreturn]] void refuse(const std::string& why) {
  throw rpc::failure{rpc::errc::storage_failed, why};
}

/// A lock counts only while the path still leads to the locked file: its last holder may have removed it between our
/// open and our lock.
bool leads_to(const std::string& path, int descriptor) {
  struct stat by_path {
  }, by_descriptor{};
  return stat(path.c_str(), &by_path) == 0 && fstat(descriptor, &by_descriptor) == 0 &&
         by_path.st_ino == by_descriptor.st_ino && by_path.st_dev == by_descriptor.st_dev;
}

} // namespace

file_lock::file_lock(std::string path) : path_{std::move(path)} {
  for (;;) {
    descriptor_ = open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor_ < 0)
      refuse("cannot make the lock file: " + std::generic_category().message(errno));
    if (flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
      auto held = errno == EWOULDBLOCK;
      auto reason = std::generic_category().message(errno);
      close(descriptor_);
      refuse(held ? "the file is in use by another agent" : "cannot lock: " + reason);
    }
    if (leads_to(path_, descriptor_))
      return;
    close(descriptor_);
  }
}

file_lock::~file_lock() {
  unlink(path_.c_str()); // before the lock goes, or the next holder's file would be removed
  close(descriptor_);
}

} // namespace mistify::store
