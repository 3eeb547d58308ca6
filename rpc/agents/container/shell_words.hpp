#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mistify::agents::container {

/// Splits a command as POSIX shells do (blanks, 'quotes', "quotes", backslashes) without running or expanding anything. A text
/// that begins with `[` is read as a JSON array of strings instead. Throws std::invalid_argument for an open quote, a
/// backslash at the end, an array of anything else, and a NUL.
std::vector<std::string> split_command(std::string_view text);

} // namespace mistify::agents::container
