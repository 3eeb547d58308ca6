#pragma once

#include "rpc/base/unique_fd.hpp"

#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace mistify::images {

/// A disk that must not be opened. `what()` names the file and the reason, for people.
class disk_refused : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

/// A place where disks may lie.
struct store_root {
  std::filesystem::path folder;
  /// False: regular files below the folder, behind all symbolic links. True: block devices by a name below the folder, as
  /// udev makes for zvols below /dev/zvol/POOL.
  bool devices = false;
};

/// An open disk file. `path` has no symbolic links in it, except for a block device's own name.
struct disk_file {
  rpc::unique_fd fd; ///< for reading
  std::filesystem::path path;
  bool is_device = false;
};

/// True if no byte is a control character, which could end a line of a log or of a file's head.
bool is_plain_text(std::string_view text) noexcept;

/// Opens a regular file or block device for reading; what is neither is not touched, and no pipe is waited for. Throws
/// std::system_error if it cannot be opened, `disk_refused` if it is neither.
disk_file open_disk(const std::filesystem::path& file);

/// Opens a disk that lies in one of the places. What is checked is what was opened, so that nobody can exchange it between.
/// Throws `disk_refused`, also if there is no such file.
disk_file open_in_store(const std::filesystem::path& file, const std::vector<store_root>& roots);

/// True if a name leads into one of the places, by itself or behind symbolic links. For what must not lie there.
bool leads_into(const std::filesystem::path& file, const std::vector<store_root>& roots);

} // namespace mistify::images
