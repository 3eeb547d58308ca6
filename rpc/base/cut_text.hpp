#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace mistify::rpc {

/// Returns `text` in at most `most` bytes. A longer text is cut between two characters and ends with `…`. Counts a byte
/// that is no UTF-8 as the three bytes of U+FFFD, which the JSON writer makes of it.
std::string cut_text(std::string_view text, std::size_t most);

/// As above, in place; a text that fits is not touched.
void shorten_text(std::string& text, std::size_t most);

/// True if a character of `text` is a control character (Unicode category Cc).
bool has_control(std::string_view text) noexcept;

} // namespace mistify::rpc
