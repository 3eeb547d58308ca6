#pragma once

#include <string>

namespace mistify::store {

/// Returns the system's text of an error number. Errors of a full or read-only disk include their symbol: "No space
/// left on device (ENOSPC)".
std::string describe_error(int number);

/// True for errors whose symbol `describe_error` includes.
bool is_disk_error(int number) noexcept;

} // namespace mistify::store
