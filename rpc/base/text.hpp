#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <string>
#include <string_view>

/// ASCII text: characters, case, blanks, lists.
namespace mistify::rpc::text {

constexpr char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

constexpr bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

/// 0 to 15, or -1.
constexpr int hex_value(char c) noexcept {
  if (is_digit(c))
    return c - '0';
  c = lower(c);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

constexpr bool is_control(char c) noexcept {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

/// True if any of the eight characters from `s` on is a control character.
inline bool is_control_among_eight(const char* s) noexcept {
  constexpr std::uint64_t each = 0x0101010101010101, high = 0x80 * each;
  std::uint64_t eight = 0;
  std::memcpy(&eight, s, sizeof eight);
  const auto not_delete = eight ^ (0x7f * each);
  // A byte minus 0x20, or minus 1, borrows into its highest bit if it is less than that.
  return ((((eight - 0x20 * each) & ~eight) | ((not_delete - each) & ~not_delete)) & high) != 0;
}

/// True if `s` holds a control character, be it a tab. Looks at eight at a time: one by one took a tenth of the work of a
/// small request.
inline bool has_any_control(std::string_view s) noexcept {
  constexpr std::size_t width = 8;
  if (s.size() < width)
    return std::any_of(s.begin(), s.end(), [](char c) { return is_control(c); });
  const auto* last = s.data() + s.size() - width;
  for (const auto* at = s.data(); at < last; at += width)
    if (is_control_among_eight(at))
      return true;
  return is_control_among_eight(last);
}

constexpr bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size())
    return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (lower(a[i]) != lower(b[i]))
      return false;
  return true;
}

/// Removes spaces and tabs at both ends.
constexpr std::string_view trim(std::string_view s) noexcept {
  const auto is_blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!s.empty() && is_blank(s.front()))
    s.remove_prefix(1);
  while (!s.empty() && is_blank(s.back()))
    s.remove_suffix(1);
  return s;
}

/// Appends the parts one behind the other, and makes room for all of them at once.
inline void append_all(std::string& out, std::initializer_list<std::string_view> parts) {
  auto size = out.size();
  auto at = size;
  for (const auto part : parts)
    size += part.size();
  out.resize(size);
  for (const auto part : parts)
    at += part.copy(out.data() + at, part.size());
}

/// Calls `f` with each trimmed, non-empty element of a list separated by `mark`.
template <class F>
void each_element(std::string_view list, char mark, F f) {
  while (!list.empty()) {
    auto end = list.find(mark);
    if (auto element = trim(list.substr(0, end)); !element.empty())
      f(element);
    list = end == list.npos ? std::string_view{} : list.substr(end + 1);
  }
}

} // namespace mistify::rpc::text
