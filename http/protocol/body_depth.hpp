#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace mistify::http {

/// Where a JSON text opens more than `most` objects and arrays inside each other: the offset of the byte; nothing where it
/// does not. Allocates nothing. What is no JSON is left to the parser.
std::optional<std::size_t> too_deep_at(std::string_view text, std::size_t most) noexcept;

} // namespace mistify::http
