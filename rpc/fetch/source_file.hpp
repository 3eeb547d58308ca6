#pragma once

#include "rpc/base/unique_fd.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace mistify::fetching {

/// Opens a file of this host for reading, which has to be below one of the folders (none: anywhere), also behind all
/// symbolic links. Below /proc, /sys and /dev no file is one. What is checked is what was opened, so that nobody can
/// exchange it between. Throws `source_refused` for a file elsewhere, `source_error` for one that cannot be read, with status
/// 404 where there is no such file.
rpc::unique_fd open_source(const std::filesystem::path& file, const std::vector<std::string>& folders);

/// A path that leads to exactly the open file, whatever its name leads to by now.
std::string link_to(const rpc::unique_fd& file);

} // namespace mistify::fetching
