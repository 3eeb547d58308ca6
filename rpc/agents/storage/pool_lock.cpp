#include "rpc/agents/storage/pool_lock.hpp"

#include "rpc/base/folder_lock.hpp"
#include "rpc/base/log.hpp"

#include <algorithm>
#include <system_error>

namespace mistify::agents::storage {

namespace fs = std::filesystem;

rpc::unique_fd lock_pool(const fs::path& locks, std::string pool) {
  if (locks.empty())
    return {};
  std::ranges::replace(pool, '/', '%');
  const auto folder = locks / ("zfs-" + pool);
  std::error_code failed;
  if (fs::create_directories(folder, failed))
    fs::permissions(folder, fs::perms{0755}, failed); // another user's process has to see the lock
  if (!failed)
    return rpc::lock_folder(folder);
  rpc::log::warning("the pool cannot be locked: nothing keeps a second process from using it",
                    {{"folder", folder.string()}, {"error", failed.message()}});
  return {};
}

} // namespace mistify::agents::storage
