#pragma once

#include "rpc/agents/storage/file_access.hpp"
#include "rpc/agents/storage/ids.hpp"
#include "rpc/agents/storage/room.hpp"
#include "rpc/fetch/units.hpp"
#include "rpc/images/store_file.hpp"
#include "rpc/kit/byte_sink.hpp"

#include <cstdint>
#include <exception>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mistify::agents::storage {

// What rpc/fetch has is used here under its own names.
using namespace fetching;

/// A volume as it is there: an image, a guest's disk, or one of its own. Sizes in bytes.
struct volume_facts {
  dataset_id id;
  std::uint64_t size = 0;
  std::string device;        ///< the path that a hypervisor opens
  std::string format;        ///< of what is there: "raw", "qcow2"
  std::string snapshot = {}; ///< of an image: the snapshot that clones are made of, where there is one
};

/// `size` is what was written to the volume since the snapshot before it. Bytes.
struct snapshot_facts {
  snapshot_id id;
  std::uint64_t size = 0;
};

enum class clone_kind : std::uint8_t {
  overlay, ///< made at once, holds what differs from the image
  full     ///< a copy, which does not need the image any more
};

enum class stream_format : std::uint8_t { raw, qcow2 };

/// Bytes on their way to whoever asked for them.
struct byte_stream {
  using sink = rpc::byte_sink;
  std::int64_t length = -1;                     ///< bytes; -1 where that is not known before
  std::function<bool(const sink& write)> write; ///< once; false when the sink said so. Throws where it cannot go on
};

/// Where volumes live. Implementations: `directory_store`, `zfs_store`; what both must do is in
/// test/storage/backend_test.cpp.
///
/// What is done is done whole or not at all, also when the process is killed; what a killed one left behind is swept by
/// the next one's constructor. Throws std::runtime_error with a text for people; `not found` for what is not there. Any
/// thread may call; calls that change the same guest or volume must be kept apart by the caller.
class backend {
public:
  virtual ~backend() = default;

  /// What stands before the name of a dataset outside of the store, as in the `volume` of disks and images: "tank/", "".
  virtual std::string_view prefix() const noexcept = 0;
  std::string name_of(const dataset_id& id) const { return std::string{prefix()} + id.text(); }

  /// Where its disks lie: QEMU is given nothing else.
  virtual std::vector<mistify::images::store_root> roots() const = 0;

  virtual std::optional<volume_facts> find(const dataset_id& id) const = 0;
  /// The same; what is there and cannot be read has the size 0, so that it can be removed.
  std::optional<volume_facts> find_any(const dataset_id& id) const {
    try {
      return find(id);
    } catch (const std::exception&) {
      return volume_facts{id, 0, {}, {}};
    }
  }
  /// Those whose name begins so (""; "images/"; "guests/ID/"), by name.
  virtual std::vector<volume_facts> list(std::string_view beginning) const = 0;

  /// Makes an empty volume. It must not be there.
  virtual void create(const dataset_id& id, std::uint64_t size) = 0;
  /// Makes a volume larger, to `size` bytes. Returns false, having done nothing, if it is in use and only the machine
  /// that uses it can do so.
  virtual bool grow(const dataset_id& id, std::uint64_t size) = 0;
  /// Makes a volume with an image's content. `size` is at least the image's. It must not be there.
  virtual void clone(const dataset_id& image, const dataset_id& to, std::uint64_t size, clone_kind kind) = 0;
  /// Whether `import_image` takes what `zfs send` makes, as format "zfs".
  virtual bool takes_zfs_streams() const noexcept { return false; }
  /// Makes an image of a file in `staging()`, which is used up. `format` is what the file is; `origin` is kept with the
  /// image. `stop` is asked while it runs.
  virtual void import_image(const std::filesystem::path& file, const std::string& format, const dataset_id& id,
                            const std::string& origin, const std::function<bool()>& stop) = 0;
  /// What `import_image` was told.
  virtual std::string origin_of(const dataset_id& image) const = 0;

  /// The guest that has a volume of its own name as a disk; "" for none. Kept with the volume.
  virtual std::string owner_of(const dataset_id& volume) const = 0;
  virtual void set_owner(const dataset_id& volume, const std::string& guest) = 0;

  /// Removes a volume with its snapshots, or a guest's disks and all. Refused while it is in use, or clones need it.
  /// What is not there is no error.
  virtual void destroy(const dataset_id& id) = 0;

  /// Of a dataset and everything below it ("" in `of`: of all), oldest first for each volume; a guest's own before its
  /// disks'. A guest's is left out where not all of its disks have it. What cannot be read is left out, unless it was
  /// asked for by name.
  virtual std::vector<snapshot_facts> snapshots(std::string_view of) const = 0;
  /// Of a volume, or of all disks of a guest at one moment. Refused while a disk is in use, unless that can be
  /// consistent.
  virtual void snapshot(const snapshot_id& id) = 0;
  /// `recursive`: for a guest's, also those of its disks.
  virtual void destroy_snapshot(const snapshot_id& id, bool recursive) = 0;
  /// Takes a volume back to the snapshot, or all disks of a guest; refused where one of them does not have it. More
  /// recent ones are destroyed, or are the reason to refuse.
  virtual void rollback(const snapshot_id& id, bool destroy_more_recent) = 0;
  /// The content of a snapshot, where the backend knows the format; of a guest's: of all its disks, in one stream. Where
  /// some disks do not have it, the stream says which, or it is refused.
  virtual byte_stream open_snapshot(const snapshot_id& id, stream_format format) const = 0;

  /// Size of the file system or pool, and what is free of it; `promised` is not counted. Cheap.
  virtual room_facts measure_size() const = 0;
  /// For people: the folder or the pool.
  virtual std::string store_name() const = 0;

  /// The space that may still be given away. Who calls `create` or `clone` claims it before; `import_image` and
  /// `snapshot` do so themselves.
  room& space() noexcept { return space_; }
  std::uint64_t free_space() const { return space_.left(); }
  /// A folder for files on their way into the store; empty after a start.
  virtual const std::filesystem::path& staging() const noexcept = 0;
  /// Beside it, for seeds; may be missing.
  std::filesystem::path seed_folder() const { return staging().parent_path() / "seeds"; }
  /// Who may open the files.
  virtual file_access access() const noexcept = 0;

protected:
  virtual room_facts measure_space() const = 0;

  mutable room space_{[this] { return measure_space(); }};
};

} // namespace mistify::agents::storage
