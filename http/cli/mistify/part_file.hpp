#pragma once

#include "rpc/base/unique_fd.hpp"

#include <string>

/// FILE.part, in which a download grows until it replaces FILE.
namespace mistify::cli {

/// Returns the file that a download to `file` replaces: `file`, or where the link `file` leads. Throws `give_up{usage}`
/// for what is there and is no regular file, for a link that leads nowhere, and for a FILE.part of somebody else.
std::string download_place(const std::string& file);

/// Returns the name of the file that grows beside `place`.
std::string part_of(const std::string& place);

/// Creates the part, or empties the one that an earlier command has left. Throws `give_up`: `usage` for a part of
/// somebody else, `failed` where another command writes it or the file system refuses.
rpc::unique_fd open_part(const std::string& part);

/// Removes the mark of a part before it gets its final name; returns false on errors.
bool unmark_part(int fd) noexcept;

} // namespace mistify::cli
