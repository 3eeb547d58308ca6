#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <sys/types.h>

namespace mistify::agents::storage {

/// Whose a store's files become.
struct store_owner {
  uid_t user;
  gid_t group; ///< that machines run in too
};

/// The user's id, with the group that `file_access::of_group` finds, else the user's own. Throws std::invalid_argument if there
/// is no such user or group.
store_owner find_store_owner(const std::string& user, const std::string& group);

/// Gives the store in `root` to an owner, as root: what root owns, for whom mistify-storage ran before, and what QEMU's users
/// do, whom libvirt gave running disks to. All else, and what lies in the folder without being the store's, stays. Follows no
/// links, leaves no file system, and changes no file with a second name, since the owner of the folder may be hostile.
/// Running machines keep their disks open. Returns how many files and folders have become the owner's; 0 where there is no
/// such folder. Throws std::system_error.
std::size_t take_over_store(const std::filesystem::path& root, store_owner to);

} // namespace mistify::agents::storage
