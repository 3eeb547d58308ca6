#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <sys/types.h>

namespace mistify::agents::storage {

/// Who besides the store's own user may open its files: a group that QEMU runs in, or nobody. Others never may, whatever the
/// umask is. Thread-safe.
///
///   folders                0700; with a group 0710, so that it reaches what it is given the name of
///   disks                  0600; with a group 0660
///   images and snapshots   0600; with a group 0640
///   all else               0600
///
/// Files that have another owner keep it and their group (libvirt makes running disks QEMU's own); others lose their rights
/// all the same. What this user may not change is left alone: only the owner could have let others in.
class file_access {
public:
  file_access() = default;
  explicit file_access(std::optional<gid_t> group) : group_{group} {}

  /// Of the group's name. "": of the first of `libvirt-qemu` and `qemu` that this host has, else nobody. Throws
  /// std::invalid_argument if there is no such group.
  static file_access of_group(const std::string& name);

  void set_folder(const std::filesystem::path& folder) const noexcept;
  /// `written`: by the machine whose disk it is.
  void set_disk(const std::filesystem::path& file, bool written) const noexcept;

  /// Makes the folder and those above it that are missing.
  void make_folder(const std::filesystem::path& folder) const;

  /// Sets the modes of a store that is there already; files that are not the store's stay as they are.
  void tighten(const std::filesystem::path& root) const;

private:
  void set(const std::filesystem::path& path, mode_t alone, mode_t with_group) const noexcept;

  std::optional<gid_t> group_;
};

/// Throws std::runtime_error if a folder of the store is a symbolic link or lies on another file system: nothing could be
/// renamed into it, or it could leave the store.
void expect_one_file_system(const std::filesystem::path& root);

} // namespace mistify::agents::storage
