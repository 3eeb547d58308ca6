#pragma once

#include <cstdint>
#include <string>

namespace mistify::bench {

/// Parses a port from the command line. Throws std::invalid_argument.
std::uint16_t port_from(const std::string& argument);

/// Reads a whole file; throws std::runtime_error if it is unreadable.
std::string text_of(const std::string& file);

} // namespace mistify::bench
