#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mistify::agents::storage {

/// Reads rows of a name and a number, as `zfs list -H -p` prints them. A line of one column is no row.
std::vector<std::pair<std::string, std::uint64_t>> rows_of(std::string_view text);

} // namespace mistify::agents::storage
