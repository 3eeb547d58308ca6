#pragma once

#include "rpc/base/unique_fd.hpp"

#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace mistify::images {

/// Thrown for a disk that must not be opened. `what()` gives the file and the reason, for people.
class disk_refused : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

/// A folder in which disks may lie.
struct store_root {
  std::filesystem::path folder;
  /// False: regular files below the folder, after resolving symbolic links. True: block devices by a name below the
  /// folder, as udev creates for zvols below /dev/zvol/POOL.
  bool devices = false;
};

/// An open disk file. `path` contains no symbolic links, except for a block device's own name.
struct disk_file {
  rpc::unique_fd fd; ///< for reading
  std::filesystem::path path;
  bool is_device = false;
};

/// True if no byte is a control character, which could end a log line or a header line.
bool is_plain_text(std::string_view text) noexcept;

/// Opens a regular file or block device for reading; never blocks on a pipe. Throws std::system_error if it cannot be
/// opened, `disk_refused` if it is neither.
disk_file open_disk(const std::filesystem::path& file);

/// Throws `disk_refused` where the last part of a name is a symbolic link: what was written there would be in another disk.
void expect_no_link(const std::filesystem::path& file);

/// Opens a disk that lies below one of `roots`, by its name too: a path that leads there from elsewhere is refused, in
/// the same words whether or not something is there. Checks the opened file, so that it cannot be exchanged after the
/// check. Throws `disk_refused`, also if there is no such file.
disk_file open_in_store(const std::filesystem::path& file, const std::vector<store_root>& roots);

/// True if a path leads below one of `roots`, directly or through symbolic links. For files that must not lie there.
bool leads_into(const std::filesystem::path& file, const std::vector<store_root>& roots);

} // namespace mistify::images
