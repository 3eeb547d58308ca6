#pragma once

#include "rpc/fetch/wrong_content.hpp"

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

/// What a file is that somebody calls a disk image, by its content.
namespace mistify::agents::storage {

/// The content is recognisably no raw or qcow2 disk.
using not_a_disk = fetching::wrong_content;

/// The bytes that `expect_disk` wants to see, where there are as many.
constexpr std::size_t disk_head = 4096;

/// Throws `not_a_disk` with the name of what the bytes are the begin of. What is unknown may be a raw disk.
///
/// Text (a script, a config file, CSV) is refused too: the first 512 bytes are valid UTF-8 with a line break and no control
/// characters but tabs, line breaks and form feeds, or UTF-16 behind a byte order mark. Where there are fewer bytes, no line
/// break is needed. No disk begins so: a boot sector ends in 55 AA, and sectors that file systems, LVM, LUKS and partition
/// tables leave free are zeros.
void expect_disk(std::string_view head);

/// The same for formats that are known by their end. Throws std::system_error where the file cannot be read.
void expect_disk_end(const std::filesystem::path& file);

/// What the begin of a stream of `zfs send` says.
struct zfs_stream {
  bool volume = false, incremental = false;
  bool compound = false; ///< several datasets, or properties
  std::string snapshot;  ///< behind the @
};

/// Null where it is no such stream.
std::optional<zfs_stream> parse_zfs_stream(std::string_view head);

} // namespace mistify::agents::storage
