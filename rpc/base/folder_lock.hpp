#pragma once

#include "rpc/base/unique_fd.hpp"

#include <filesystem>

namespace mistify::rpc {

/// Locks a folder for one process, against others that lock it and against this one. The lock holds while the returned
/// descriptor is open; the kernel releases it however the process ends. It is of the folder itself (`flock`), so that
/// no file is left in it, and no other user's file is in the way of the next start.
///
/// Throws `failure{unavailable}` if it is locked already, and std::system_error if it cannot be opened. A file system that has
/// no such locks (NFS) is a warning in the log.
unique_fd lock_folder(const std::filesystem::path& folder);

} // namespace mistify::rpc
