#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace mistify::rpc {

/// Returns at most `most` bytes of `text`. A longer text is cut between two characters and ends with `…`. A byte that
/// is not UTF-8 counts as three bytes, because the JSON writer replaces it by U+FFFD.
std::string cut_text(std::string_view text, std::size_t most);

/// Like `cut_text`, in place. A text that fits is not changed.
void shorten_text(std::string& text, std::size_t most);

/// True if a character of `text` is a control character (Unicode category Cc).
bool has_control(std::string_view text) noexcept;

/// Removes the control characters from `text`.
void drop_controls(std::string& text);

} // namespace mistify::rpc
