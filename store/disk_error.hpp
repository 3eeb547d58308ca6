#pragma once

#include <string>

namespace mistify::store {

/// The system's text of an error number; errors of a disk that is full or read-only get their name too:
/// "No space left on device (ENOSPC)".
std::string describe_error(int number);

/// True for those that `describe_error` names.
bool is_disk_error(int number) noexcept;

} // namespace mistify::store
