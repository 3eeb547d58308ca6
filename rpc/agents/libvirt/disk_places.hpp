#pragma once

#include "rpc/images/backing_chain.hpp"
#include "rpc/model/model.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mistify::agents {

/// Of the command line.
struct place_settings {
  std::vector<std::string> stores = {};      ///< folders or ZFS pools of mistify-storage; none: `default_store`
  std::string media = {};                    ///< absolute folders with colons between them
  std::filesystem::path zvols = "/dev/zvol"; ///< where the kernel has the devices of pools
};

constexpr const char* default_store = "/var/lib/mistify-storage";

/// A disk as QEMU has to open it.
struct placed_disk {
  std::vector<images::chain_link> chain = {}; ///< the disk itself first; all formats are known
  std::string volume = {};                    ///< its name in the store; empty: media
  bool read_only = false;                     ///< media
  bool is_shared = false;                     ///< made by CreateVolume, so that other guests may name it too
  bool is_outside = false;                    ///< of no store: recorded when its domain was adopted

  std::string_view format() const noexcept {
    return chain.front().format == images::disk_format::qcow2 ? "qcow2" : "raw";
  }
};

/// Where the disks, ISO images, kernels and initrds of guests may lie. A client names paths on this host, which QEMU
/// opens as root for the guest; so a path is believed only if it leads to the guest's own volume in a store, to a
/// volume that CreateVolume made, or to a file below a folder of media, which is read-only. The format follows from the
/// place.
///
/// Behind a disk of a store are its own snapshots and one base image, whatever its header names (`expect_own_chain`).
///
/// A folder below the media in which mistify-storage keeps its files is a store as well, though nobody named it one.
///
/// Immutable; any thread may call. What is refused throws std::invalid_argument that names the field.
class disk_places {
public:
  /// Throws std::invalid_argument if a name is no folder or pool, or media and stores overlap.
  explicit disk_places(const place_settings& settings);

  /// The disk that a guest's XML or document names. Checks the files behind it too, as they are at this moment.
  placed_disk find(const std::string& source, const std::string& guest, const std::string& field) const;

  /// The same for a disk as a client or mistify-storage wrote it: a volume of a store has to be named as such, since a
  /// path alone does not come from mistify-storage.
  placed_disk find(const rpc::disk& disk, const std::string& guest, const std::string& field) const;

  /// True for a path that leads into a store.
  bool is_in_store(const std::filesystem::path& file) const { return store_of(file).has_value(); }

  /// The seed that mistify-storage made for the first boot of a guest: STORE/seeds/ID.iso of a store that is a folder,
  /// or of the default one if all are pools. Null if there is none. `guest` is a UUID.
  std::optional<placed_disk> find_seed(const std::string& guest) const;
  /// True for a path where `find_seed` looks.
  bool is_seed(const std::string& path, const std::string& guest) const;

  /// A kernel or initrd: a file of the media. Returns its path without symbolic links.
  std::string find_media(const std::string& path, const std::string& field) const;

private:
  struct store {
    images::store_root root;
    std::string prefix; ///< of volumes' names: "tank/", ""
  };
  struct place;

  void add_store(const std::string& name, const std::filesystem::path& zvols);
  void add_media(const std::string& list);
  void expect_apart(bool stores_were_named) const;
  std::vector<images::store_root> seed_folders() const;
  std::optional<store> store_of(const std::filesystem::path& file) const;
  std::optional<store> store_below_media(const std::filesystem::path& file) const;
  placed_disk in_store(const store& where, const std::string& source, const std::string& guest) const;
  placed_disk in_media(const std::string& source) const;

  std::vector<store> stores_;
  std::vector<images::store_root> media_;
  std::string media_list_;
};

} // namespace mistify::agents
