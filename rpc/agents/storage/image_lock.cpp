#include "rpc/agents/storage/image_lock.hpp"

#include <cerrno>
#include <fcntl.h>
#include <stdexcept>
#include <system_error>

namespace mistify::agents::storage {

namespace {

constexpr off_t used = 100, unshared = 200;
constexpr off_t permissions = 5; // consistent read, write, write unchanged, resize, graph modification

struct flock bytes(short type, off_t from, off_t count = permissions) {
  struct flock lock {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = from;
  lock.l_len = count;
  return lock;
}

/// Tells what this process uses, before it looks at others: of two that do so at once at least one sees the other.
void claim(int fd, off_t from, off_t count = permissions) {
  auto lock = bytes(F_RDLCK, from, count);
  if (::fcntl(fd, F_OFD_SETLK, &lock) != 0)
    throw std::system_error{errno, std::generic_category(), "lock"};
}

bool others_have(int fd, off_t from) {
  auto lock = bytes(F_WRLCK, from);
  if (::fcntl(fd, F_OFD_GETLK, &lock) != 0)
    throw std::system_error{errno, std::generic_category(), "lock"};
  return lock.l_type != F_UNLCK;
}

} // namespace

image_lock::image_lock(const std::filesystem::path& file) : fd_{::open(file.c_str(), O_RDWR | O_CLOEXEC)} {
  if (!fd_)
    throw std::system_error{errno, std::generic_category(), file.filename()};
  for (const auto from : {used, unshared})
    claim(fd_.get(), from);
  for (const auto from : {used, unshared})
    if (others_have(fd_.get(), from))
      throw std::runtime_error{file.stem().string() + " is in use by a running guest; stop the guest first"};
}

void lock_for_reading(int fd) {
  constexpr off_t consistent_read = 0, write = 1;
  claim(fd, used + consistent_read, 1);
  claim(fd, unshared + write, permissions - write);
}

} // namespace mistify::agents::storage
