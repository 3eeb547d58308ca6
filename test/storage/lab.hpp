#pragma once

#include "rpc/agents/storage/backend.hpp"
#include "rpc/agents/storage/zfs_store.hpp"
#include "test/system/temp_dir.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace mistify::test {

using agents::storage::backend;
using agents::storage::byte_stream;
using agents::storage::dataset_id;
using agents::storage::snapshot_id;

constexpr std::uint64_t mb = 1024 * 1024;

/// A process that has a disk open, as a machine would, until it is destroyed.
class running_guest {
public:
  running_guest(const std::string& device, const std::string& format);
  ~running_guest();
  running_guest(const running_guest&) = delete;
  running_guest& operator=(const running_guest&) = delete;

private:
  FILE* in_;
};

/// A backend in a folder of its own, and operations of guests on their disks. The common interface serves the tests
/// of all backends.
class lab {
public:
  virtual ~lab() = default;

  backend& store() { return *store_; }
  /// Simulates a restart after any end of the process.
  void restart() {
    store_.reset();
    store_ = open();
  }
  /// Opens the same store a second time, as another process would.
  std::unique_ptr<backend> open_again() { return open(); }
  const std::filesystem::path& folder() const { return dir_.path(); }

  /// Fills 64 KiB at that MB of a volume's device with the letter.
  void write(const dataset_id& id, std::uint64_t at_mb, char letter);
  /// Returns the letter at that MB; 0 if it was never written.
  char letter_at(const dataset_id& id, std::uint64_t at_mb);

  /// Makes an image with the letter at its begin.
  dataset_id image(const std::string& name, std::uint64_t size_mb, char letter);

protected:
  virtual std::unique_ptr<backend> open() = 0;
  temp_dir dir_;
  std::unique_ptr<backend> store_;
};

class directory_lab : public lab {
public:
  directory_lab() { store_ = open(); }
  std::filesystem::path folder_of(const dataset_id& id) { return (folder() / "store" / id.text()).parent_path(); }

protected:
  std::unique_ptr<backend> open() override;
};

/// Uses the stand-in for the command `zfs`, or real ZFS below the dataset that MISTIFY_TEST_ZFS names, if set.
class zfs_lab : public lab {
public:
  zfs_lab();
  ~zfs_lab() override;

  /// Its settings, with images on their way in that folder.
  agents::storage::zfs_settings settings(const std::string& staging) const;

protected:
  std::unique_ptr<backend> open() override;

private:
  bool is_real() const { return command_ == "zfs"; }

  std::string command_, pool_;
  std::filesystem::path devices_;
};

/// Returns the whole content of a stream.
std::string all_of(const byte_stream& stream);

} // namespace mistify::test
