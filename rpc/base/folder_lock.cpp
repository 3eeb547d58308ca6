#include "rpc/base/folder_lock.hpp"

#include "rpc/base/error.hpp"
#include "rpc/base/log.hpp"

#include <cerrno>
#include <fcntl.h>
#include <string>
#include <sys/file.h>
#include <system_error>

namespace mistify::rpc {

unique_fd lock_folder(const std::filesystem::path& folder) {
  unique_fd held{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!held)
    throw std::system_error{errno, std::generic_category(), folder};
  if (::flock(held.get(), LOCK_EX | LOCK_NB) == 0)
    return held;
  if (errno == EWOULDBLOCK)
    throw failure{errc::unavailable, "the folder " + folder.string() + " is in use by another process"};
  log::warning("the folder cannot be locked: nothing keeps a second process from using it",
               {{"folder", folder.string()}, {"error", std::generic_category().message(errno)}});
  return held;
}

} // namespace mistify::rpc
