#pragma once

#include <cstdint>
#include <string>

namespace mistify::bench {

/// A port from the command line. Throws std::invalid_argument.
std::uint16_t port_from(const std::string& argument);

/// A whole file; throws std::runtime_error where it cannot be read.
std::string text_of(const std::string& file);

} // namespace mistify::bench
