#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace mistify::test {

/// The compact JSON text at a path such as "disks/0/size"; "" is the whole. "(absent)" where there is nothing, so that a
/// comparison fails with something to read. Throws where `text` is no JSON.
std::string at(std::string_view text, std::string_view path);

/// The same for a string, without its quotes.
std::string text_at(std::string_view text, std::string_view path);

/// How many elements an array has.
std::size_t count(std::string_view text, std::string_view path = "");

/// The compact texts of an array's elements.
std::vector<std::string> elements(std::string_view text, std::string_view path = "");

/// `text` as a JSON string, with quotes.
std::string json_string(std::string_view text);

} // namespace mistify::test
