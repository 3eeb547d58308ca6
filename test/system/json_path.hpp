#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace mistify::test {

/// Returns the compact JSON text at a path such as "disks/0/size"; "" is the whole. Returns "(absent)" if there is no
/// such value, so that a failed comparison is readable. Throws if `text` is not JSON.
std::string at(std::string_view text, std::string_view path);

/// The same for a string, without its quotes.
std::string text_at(std::string_view text, std::string_view path);

/// Returns the number of elements of an array.
std::size_t count(std::string_view text, std::string_view path = "");

/// Returns the compact texts of an array's elements.
std::vector<std::string> elements(std::string_view text, std::string_view path = "");

/// Returns `text` as a JSON string, with quotes.
std::string json_string(std::string_view text);

} // namespace mistify::test
