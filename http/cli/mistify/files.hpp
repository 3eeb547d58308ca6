#pragma once

#include <cstddef>
#include <string>

namespace mistify::cli {

/// A whole file, "-" for standard input. Throws `give_up{usage}` where it cannot be read or has over `most` bytes.
std::string read_small_file(const std::string& path, std::size_t most);

} // namespace mistify::cli
