#include "rpc/agents/libvirt/known_guests.hpp"

#include "rpc/agents/libvirt/machines.hpp"
#include "rpc/base/log.hpp"
#include "rpc/base/unique_fd.hpp"

#include <cerrno>
#include <fcntl.h>
#include <system_error>
#include <utility>

namespace mistify::agents {

namespace fs = std::filesystem;

known_guests::known_guests(fs::path folder) : folder_{std::move(folder)} {
  if (!folder_.empty())
    read();
}

/// Skips files whose names are no ids.
void known_guests::read() {
  std::error_code failed;
  fs::create_directories(folder_, failed);
  for (fs::directory_iterator at{folder_, failed}, end; !failed && at != end && guests_.size() < most;
       at.increment(failed))
    if (auto name = at->path().filename().string(); is_uuid(name))
      guests_.insert(std::move(name));
  if (failed)
    complain(failed.message());
}

void known_guests::note(const std::string& guest, rpc::report_result how) {
  if (how == rpc::report_result::taken)
    keep(guest);
  if (how == rpc::report_result::unknown)
    forget(guest);
}

void known_guests::keep(const std::string& guest) {
  if (!is_uuid(guest) || guests_.size() >= most || !guests_.insert(guest).second || folder_.empty())
    return;
  const rpc::unique_fd made{
    ::open((folder_ / guest).c_str(), O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600)};
  if (!made)
    complain(std::generic_category().message(errno));
}

void known_guests::forget(const std::string& guest) {
  if (guests_.erase(guest) == 0 || folder_.empty())
    return;
  std::error_code failed;
  fs::remove(folder_ / guest, failed);
  if (failed)
    complain(failed.message());
}

void known_guests::complain(const std::string& reason) {
  if (!std::exchange(complained_, true))
    rpc::log::warning(
      "the folder of known guests is of no use: a machine that goes while mistify-libvirt is down is not missed",
      {{"folder", folder_.string()}, {"reason", reason}});
}

} // namespace mistify::agents
