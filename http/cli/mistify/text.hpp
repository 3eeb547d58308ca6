#pragma once

#include <cstddef>
#include <string>
#include <string_view>

/// Text as a terminal shows it.
namespace mistify::cli {

/// Replaces what could act on a terminal or reorder its text (control characters, C1, bidirectional marks, bytes that are
/// no UTF-8) by escapes such as \x1b and \u202e.
std::string escape(std::string_view text);

/// The same within JSON text, by JSON's own escapes; the value stays the same.
std::string escape_json(std::string_view json);

/// Columns that an escaped text takes; wide characters take two.
std::size_t width_of(std::string_view text);

/// True for the 36 characters of a UUID, in any case.
bool is_uuid(std::string_view text);

/// Cuts an escaped text to at most `most` columns.
std::string cut_to(std::string_view text, std::size_t most);

} // namespace mistify::cli
