#pragma once

#include "rpc/base/json.hpp"

#include <cstdint>
#include <string_view>

namespace mistify::rpc {

/// When a change of a guest takes effect: while it runs, at its next start, or whichever is possible.
enum class apply_when : std::uint8_t { either, live, next_start };

/// Reads "live", "next-start" or "either". Throws `failure{invalid_request}` for any other text.
apply_when apply_from(std::string_view text);

/// Reads the member `apply` of a wish; `either` where it is absent or null. Throws as above, also if it is no string.
apply_when apply_in(const json::node& wish);

} // namespace mistify::rpc
