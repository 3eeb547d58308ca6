#pragma once

#include <string_view>

/// Whether bytes are text for people, which servers send in the place of a file.
namespace mistify::fetching {

/// True if no byte is a control character other than tabs, line breaks and form feeds.
bool is_text(std::string_view head);

/// Returns the text behind a byte order mark and blanks at its begin.
std::string_view without_blanks(std::string_view text);

/// Whether a text begins as HTML or XML does.
bool is_markup(std::string_view head);

} // namespace mistify::fetching
