#pragma once

#include <string_view>

namespace mistify::agents::storage {

/// The length of a prefix, from 0 to 32 or 128, that a netmask stands for: "255.255.255.0", "ffffff00", "0xffffff00", "24",
/// "/24". Throws std::invalid_argument for anything else.
unsigned prefix_length(std::string_view netmask, bool is_ipv6);

} // namespace mistify::agents::storage
