#pragma once

#include "rpc/agents/storage/backend.hpp"
#include "rpc/base/unique_fd.hpp"

#include <atomic>
#include <string>
#include <vector>

namespace mistify::agents::storage {

struct zfs_settings {
  std::string pool;
  std::filesystem::path staging;               ///< a folder for images on their way, emptied at the start
  std::string command = "zfs";                 ///< another one for tests
  std::filesystem::path devices = "/dev/zvol"; ///< where the pool's zvols are
  bool block_devices = true;                   ///< false: files, as a stand-in for ZFS has them
  file_access access = {};                     ///< of seeds
  std::filesystem::path locks = {};            ///< folder where the pool is locked; empty: it is not
};

/// The zvols of a ZFS pool, by the command `zfs`: POOL/images/ID (disks are clones of its snapshot @0),
/// POOL/guests/ID/disk-N, and any other name. What is not done yet is in POOL/-staging. A snapshot of a running guest
/// is as consistent as its disks after a power cut; ZFS takes those of all disks at one moment.
class zfs_store final : public backend {
public:
  /// Locks the folder of `staging`, and the pool. Throws `failure{unavailable}` if another store has one of them,
  /// `command_failed` where there is no such pool.
  explicit zfs_store(zfs_settings settings);

  std::string_view prefix() const noexcept override { return prefix_; }
  std::vector<mistify::images::store_root> roots() const override;
  std::optional<volume_facts> find(const dataset_id& id) const override;
  std::vector<volume_facts> list(std::string_view beginning) const override;

  void create(const dataset_id& id, std::uint64_t size) override;
  bool grow(const dataset_id& id, std::uint64_t size) override;
  void clone(const dataset_id& image, const dataset_id& to, std::uint64_t size, clone_kind kind) override;
  bool takes_zfs_streams() const noexcept override { return true; }
  void import_image(const std::filesystem::path& file, const std::string& format, const dataset_id& id,
                    const std::string& origin, const std::function<bool()>& stop) override;
  std::string origin_of(const dataset_id& image) const override;
  std::string owner_of(const dataset_id& volume) const override;
  void set_owner(const dataset_id& volume, const std::string& guest) override;
  void destroy(const dataset_id& id) override;

  std::vector<snapshot_facts> snapshots(std::string_view of) const override;
  void snapshot(const snapshot_id& id) override;
  void destroy_snapshot(const snapshot_id& id, bool recursive) override;
  void rollback(const snapshot_id& id, bool destroy_more_recent) override;
  byte_stream open_snapshot(const snapshot_id& id, stream_format format) const override;

  const std::filesystem::path& staging() const noexcept override { return settings_.staging; }
  file_access access() const noexcept override { return settings_.access; }
  room_facts measure_size() const override;
  std::string store_name() const override { return settings_.pool; }

private:
  std::string zfs(std::vector<std::string> arguments) const;
  std::string zfs_if_there(std::vector<std::string> arguments) const; ///< "" where the dataset is not
  std::string full(const dataset_id& id) const { return name_of(id); }
  std::string full(const snapshot_id& id) const { return prefix_ + id.text(); }
  std::string new_dataset(); ///< a name in staging that nobody has
  std::string property_of(const dataset_id& id, const char* property) const;
  void expect_own_device(const std::string& device) const;
  room_facts measure_space() const override;
  std::string missing_on(const snapshot_id& id, const std::vector<snapshot_facts>& all) const;
  void expect_whole_snapshot(const snapshot_id& id) const;
  volume_facts facts_of(const dataset_id& id, std::uint64_t size) const;
  void create_parents(const std::string& dataset) const;
  void finish(const std::string& staged, const dataset_id& as) const;
  void convert(const std::filesystem::path& file, const std::string& format, const std::string& staged,
               const std::string& property, const std::function<bool()>& stop);
  void receive(const std::filesystem::path& file, const std::string& staged, const std::string& property,
               const std::function<bool()>& stop) const;
  void give_up(const std::string& staged) const noexcept;
  std::filesystem::path device_of(const std::string& dataset) const;
  std::vector<dataset_id> volumes_of(const dataset_id& id) const;

  static constexpr auto base_snapshot = "@0"; // what clones of an image are made of

  rpc::unique_fd folder_lock_, pool_lock_; // first: held until nothing uses folder and pool any more
  zfs_settings settings_;
  std::string prefix_;
  std::atomic<unsigned> next_ = 0;
};

} // namespace mistify::agents::storage
