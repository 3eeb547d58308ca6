#pragma once

#include "rpc/base/unique_fd.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace mistify::agents {

/// Reads what the serial console of a machine said, in the files that virtlogd writes: FOLDER/ID.log, and the older
/// ID.log.0, ID.log.1 and so on, which it renames when a file is full. Bytes are counted from the start of the oldest
/// that is still there. For one thread. Throws std::system_error for a file that cannot be opened or read, for a link
/// or anything else that is no plain file, and for files that are renamed over and over while they are opened.
class console_log {
public:
  /// Returns false when nothing more is wanted. Of no bytes: whether it is.
  using receiver = std::function<bool(std::string_view bytes)>;

  /// virtlogd keeps three older files by default. From ID.log.64 on none is looked at.
  static constexpr int most_older = 64;

  /// How far the start of a line is looked for from the end.
  static constexpr std::uint64_t longest_look_back = std::uint64_t{64} << 20U;

  /// `id` is that of a guest, checked: a UUID. Opens the files. Numbers may be missing among them.
  console_log(std::filesystem::path folder, std::string id);

  /// Bytes that were there when the files were opened.
  std::uint64_t size() const noexcept;

  /// The place of the first of the last `lines` lines, or `longest_look_back` bytes before the end if they begin before
  /// that. Bytes behind the last line's end are a line too. Null if `to` says that nothing is wanted any more.
  std::optional<std::uint64_t> start_of_last(std::uint64_t lines, const receiver& to) const;

  /// Passes on what was there when the files were opened, from `start` on. Once. Returns false if `to` did.
  bool pass_on(std::uint64_t start, const receiver& to);

  /// Passes on what was written since the last call of this or of the other. Returns false if `to` did.
  bool pass_on_new(const receiver& to);

private:
  struct file {
    rpc::unique_fd fd;
    dev_t device = 0;
    ino_t inode = 0;
    std::uint64_t size = 0;

    bool is(const file& other) const noexcept { return device == other.device && inode == other.inode; }
  };

  file open(const std::string& name) const;
  std::vector<file> open_all() const;
  std::optional<std::vector<file>> try_to_open_all() const;
  bool has_moved() const;
  bool drain(const receiver& to);
  bool drain(std::uint64_t end, const receiver& to);

  const std::filesystem::path folder_;
  const std::string name_;
  std::vector<file> files_; // the oldest first; empty once they were passed on
  file current_;            // that is read
  std::uint64_t place_ = 0; // in it
};

} // namespace mistify::agents
