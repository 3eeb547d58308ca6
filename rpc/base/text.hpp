#pragma once

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
  constexpr std::string_view blank = " \t";
  auto first = s.find_first_not_of(blank);
  return first == s.npos ? std::string_view{} : s.substr(first, s.find_last_not_of(blank) - first + 1);
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
