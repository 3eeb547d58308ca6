#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <sys/types.h>

namespace mistify::agents::storage {

/// Who besides the store's own user may open its files: a group that QEMU runs in, or nobody. Others never may,
/// whatever the umask is. Thread-safe.
///
///               alone   with a group
///   folders      0700    2750: what is made in them has the group as well
///   disks        0600    0660
///   snapshots    0600    0640: written when an older one is removed
///   images       0400    0440, seeds too
///   all else     0600    0600
///
/// Files that have another owner keep it and their group; others lose their rights all the same. What this user may not
/// change is left alone: only the owner could have let others in.
class file_access {
public:
  file_access() = default;
  explicit file_access(std::optional<gid_t> group) : group_{group} {}

  /// Of the group's name. "": of the first of `mistify-disks`, `libvirt-qemu` and `qemu` that this host has, else nobody.
  /// Throws std::invalid_argument if there is no such group.
  static file_access of_group(const std::string& name);

  /// Null: nobody.
  std::optional<gid_t> group() const noexcept { return group_; }

  /// Sets the umask of the process: with a group, new folders are made as they have to be, since systemd's
  /// RestrictSUIDSGID= denies to set the bit that they inherit.
  void apply_umask() const noexcept;

  void set_folder(const std::filesystem::path& folder) const noexcept;

  enum class kind : std::uint8_t { disk, snapshot, image };
  void set_disk(const std::filesystem::path& file, kind what) const noexcept;

  /// Makes the folder and those above it that are missing.
  void make_folder(const std::filesystem::path& folder) const;

  /// Sets the modes of a store that is there already; files that are not the store's stay as they are.
  void tighten(const std::filesystem::path& root) const;

private:
  void set(const std::filesystem::path& path, mode_t alone, mode_t with_group) const noexcept;

  std::optional<gid_t> group_;
};

/// True for a seed of a guest: read as images are, by its path from the store's folder.
bool is_seed(const std::filesystem::path& within);

/// True for what lies in a store's folder and is the store's, by its path from there. False for what others keep there.
bool is_of_store(const std::filesystem::path& within);

/// Throws std::runtime_error if a folder of the store is a symbolic link or lies on another file system: nothing could be
/// renamed into it, or it could leave the store.
void expect_one_file_system(const std::filesystem::path& root);

} // namespace mistify::agents::storage
