#include "http/cli/mistify/part_file.hpp"

#include "http/cli/mistify/exit_status.hpp"

#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <sys/file.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace mistify::cli {

namespace {

/// Only the user may read it. The sticky bit has no meaning on files: it marks the parts of this command.
constexpr mode_t marked = S_ISVTX | S_IRUSR | S_IWUSR, unmarked = S_IRUSR | S_IWUSR;

bool is_ours(const struct stat& found) {
  return S_ISREG(found.st_mode) && (found.st_mode & S_ISVTX) != 0 && found.st_uid == ::geteuid();
}

[[noreturn]] void refuse(const std::string& file, const std::string& why) {
  throw give_up{status::usage, file + ": " + why};
}

[[noreturn]] void refuse_foreign(const std::string& part) {
  refuse(part, "is there, and is no unfinished download of yours; move it away, or name another FILE");
}

[[noreturn]] void fail(const std::string& part) {
  throw give_up{status::failed, part + ": " + std::generic_category().message(errno)};
}

/// Opens a part that is there, or throws.
rpc::unique_fd open_left(const std::string& part) {
  // Without waiting for the reader of a FIFO.
  rpc::unique_fd fd{::open(part.c_str(), O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)};
  struct stat found {};
  if (!fd || ::fstat(fd.get(), &found) != 0 || !is_ours(found))
    refuse_foreign(part);
  return fd;
}

/// True if the name still is the file's: the other command may have finished it just now.
bool has_name(int fd, const std::string& part) {
  struct stat opened {
  }, named{};
  return ::fstat(fd, &opened) == 0 && ::lstat(part.c_str(), &named) == 0 && opened.st_dev == named.st_dev &&
         opened.st_ino == named.st_ino;
}

} // namespace

std::string download_place(const std::string& file) {
  auto place = file;
  struct stat found {};
  if (::stat(file.c_str(), &found) == 0) {
    if (S_ISDIR(found.st_mode))
      refuse(file, "is a folder; name a file in it");
    if (!S_ISREG(found.st_mode))
      refuse(file, "is no regular file; use - and redirect the output");
    std::error_code error;
    if (std::filesystem::is_symlink(file, error))
      place = std::filesystem::canonical(file).string();
  } else if (::lstat(file.c_str(), &found) == 0) {
    refuse(file, "is a link that leads nowhere");
  }
  if (::lstat(part_of(place).c_str(), &found) == 0 && !is_ours(found))
    refuse_foreign(part_of(place));
  return place;
}

std::string part_of(const std::string& place) {
  return place + ".part";
}

rpc::unique_fd open_part(const std::string& part) {
  rpc::unique_fd fd{::open(part.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, marked)};
  if (!fd && errno == EEXIST)
    fd = open_left(part);
  if (!fd)
    fail(part);
  // File systems without locks have none to offer; the mark alone has to do there.
  if ((::flock(fd.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) || !has_name(fd.get(), part))
    throw give_up{status::failed, part + ": another command writes it"};
  if (::ftruncate(fd.get(), 0) != 0)
    fail(part);
  return fd;
}

bool unmark_part(int fd) noexcept {
  return ::fchmod(fd, unmarked) == 0;
}

} // namespace mistify::cli
