#pragma once

#include <cstddef>
#include <string_view>

/// Members of an object's text without parsing the whole.
namespace mistify::rpc {

/// Returns the length of the JSON value at the begin of `text`, which is part of a valid, compact text.
constexpr std::size_t length_of_value(std::string_view text) noexcept {
  std::size_t depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\')
        ++i;
      else if (c == '"')
        in_string = false;
      if (!in_string && depth == 0)
        return i + 1;
      continue;
    }
    if (c == '"')
      in_string = true;
    else if (c == '{' || c == '[')
      ++depth;
    else if (depth > 0 && (c == '}' || c == ']')) {
      if (--depth == 0)
        return i + 1;
    } else if (depth == 0 && (c == ',' || c == '}' || c == ']'))
      return i;
  }
  return text.size();
}

/// Calls `use` with the name, as it is written between its quotes, and the value's text of each member. `object` is what
/// the codec wrote: valid and compact.
template <class F>
void for_each_member(std::string_view object, F use) {
  object.remove_prefix(1);
  while (object.size() > 1 && object.front() != '}') {
    const auto name = length_of_value(object);
    const auto value = length_of_value(object.substr(name + 1));
    use(object.substr(1, name - 2), object.substr(name + 1, value));
    object.remove_prefix(name + 1 + value);
    if (object.starts_with(','))
      object.remove_prefix(1);
  }
}

} // namespace mistify::rpc
