#pragma once

#include "rpc/agents/storage/backend.hpp"
#include "rpc/agents/storage/file_access.hpp"
#include "rpc/agents/storage/files.hpp"
#include "rpc/base/unique_fd.hpp"

#include <atomic>
#include <shared_mutex>

namespace mistify::agents::storage {

/// How the names of the files of volumes and snapshots end.
constexpr auto qcow2_ending = ".qcow2";

/// A folder of qcow2 files; needs nothing but qemu-img.
///
///   images/ID.qcow2                 an image; ID.origin beside it holds where it came from
///   guests/ID/disk-N.qcow2          a guest's disk, on its image or its newest snapshot
///   guests/ID/disk-N@NAME.qcow2     a snapshot: what the disk was, frozen, with the next one (or the disk) on top of it
///   guests/ID/@NAME                 that the snapshot was taken of the whole guest
///   any/other/name.qcow2            a volume; name.guest beside it holds whose disk it is
///   seeds/ID.iso                    what a guest's first boot is told, see seeds.hpp
///   .staging/                       what is not done yet
///
/// A snapshot is taken by giving the disk's file a second name and putting an empty one on top of it into its place by
/// one rename; so a snapshot is there at once, can be read while the guest runs, and a rollback is one rename as well.
/// A file that a disk does not stand on (any more) is what a killed process left behind, and goes.
class directory_store final : public backend {
public:
  /// Makes the folder where it is missing, locks it, and sweeps it. A disk has up to `max_snapshots`, since QEMU opens a
  /// file for each. Throws `failure{unavailable}` if another store has the folder, std::system_error, and
  /// std::runtime_error if a folder of it lies elsewhere.
  explicit directory_store(const std::filesystem::path& root, std::size_t max_snapshots = 100, file_access access = {});

  std::string_view prefix() const noexcept override { return {}; }
  std::vector<mistify::images::store_root> roots() const override { return {{root_, false}}; }
  std::optional<volume_facts> find(const dataset_id& id) const override;
  std::vector<volume_facts> list(std::string_view beginning) const override;

  void create(const dataset_id& id, std::uint64_t size) override;
  bool grow(const dataset_id& id, std::uint64_t size) override;
  void clone(const dataset_id& image, const dataset_id& to, std::uint64_t size, clone_kind kind) override;
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

  const std::filesystem::path& staging() const noexcept override { return staging_; }
  file_access access() const noexcept override { return access_; }
  room_facts measure_size() const override;
  std::string store_name() const override { return root_.string(); }

private:
  using path = std::filesystem::path;
  using names = std::vector<std::string>;

  path file_of(const dataset_id& id) const;
  path file_of(const snapshot_id& id) const;
  staged_file new_file() const; ///< a name in staging that nobody has
  std::vector<dataset_id> volumes_of(const dataset_id& id) const;
  room_facts measure_space() const override;
  void put(const path& fresh, const path& as) const;
  void expect_own_chain(const path& file) const;
  bool is_needed(const path& image) const;
  void destroy_image(const dataset_id& id);
  void destroy_volumes(const std::vector<dataset_id>& which);

  names history(const dataset_id& volume) const;
  bool has(const dataset_id& volume, const std::string& name) const;
  std::vector<dataset_id> with_snapshot(const snapshot_id& id) const;
  names without_snapshot(const snapshot_id& id) const;
  std::vector<dataset_id> all_with_snapshot(const snapshot_id& id) const;
  void add_history(const dataset_id& volume, std::vector<snapshot_facts>& to) const;
  names marks_of(const dataset_id& guest) const;
  void add_marks(const dataset_id& guest, std::vector<snapshot_facts>& to) const;
  void expect_newest(const dataset_id& volume, const std::string& name) const;
  void settle(const dataset_id& volume) const;
  void destroy_one(const snapshot_id& id);

  rpc::unique_fd lock_; // first: held until nothing uses the folder any more
  path root_, staging_;
  std::size_t max_snapshots_;
  file_access access_;
  mutable std::atomic<unsigned> next_file_ = 0;
  mutable std::shared_mutex images_; // taken alone to remove one, shared to stand on one
};

} // namespace mistify::agents::storage
