#pragma once

#include <string_view>

namespace mistify::rpc {

/// Whether the bytes are UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing over U+10FFFF.
bool is_utf8(std::string_view bytes) noexcept;

} // namespace mistify::rpc
