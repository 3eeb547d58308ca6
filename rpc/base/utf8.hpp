#pragma once

#include <cstddef>
#include <string_view>

namespace mistify::rpc {

/// The length of the UTF-8 character at the front; 0: there is none.
std::size_t utf8_length(std::string_view bytes) noexcept;

/// Whether the bytes are UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing over U+10FFFF.
bool is_utf8(std::string_view bytes) noexcept;

} // namespace mistify::rpc
