#pragma once

#include "rpc/base/unique_fd.hpp"

#include <filesystem>
#include <string>

namespace mistify::agents::storage {

/// Locks a ZFS pool for one process while the returned descriptor is open: a folder of the pool's name in `locks`, where
/// all processes look for it, whatever folder they use the pool from. Throws `failure{unavailable}` if it is locked already. Without
/// `locks`, or where no folder can be made there, it locks nothing; the latter is a warning in the log.
rpc::unique_fd lock_pool(const std::filesystem::path& locks, std::string pool);

} // namespace mistify::agents::storage
