#pragma once

#include "rpc/base/text.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

/// The few rules about characters that reading and writing HTTP share (RFC 9110, section 5.6).
namespace mistify::rpc::text {

/// By character; a search of the marks for each would be a tenth of the work of a small request.
inline constexpr auto token_chars = [] {
  std::array<bool, 256> result{};
  for (int c = '0'; c <= '9'; ++c)
    result[c] = true;
  for (int c = 'a'; c <= 'z'; ++c)
    result[c] = result[c - 'a' + 'A'] = true;
  for (char c : std::string_view{"!#$%&'*+-.^_`|~"})
    result[static_cast<unsigned char>(c)] = true;
  return result;
}();

constexpr bool is_token_char(char c) noexcept {
  return token_chars[static_cast<unsigned char>(c)];
}

constexpr bool is_token(std::string_view s) noexcept {
  for (char c : s)
    if (!is_token_char(c))
      return false;
  return !s.empty();
}

/// True if `s` holds a control character other than a tab.
inline bool has_control(std::string_view s) noexcept {
  return has_any_control(s) && std::any_of(s.begin(), s.end(), [](char c) { return is_control(c) && c != '\t'; });
}

/// Parses a Content-Length: digits only, no sign, no list, no blanks. At most 18 of them, so that nothing overflows.
constexpr std::optional<std::uint64_t> parse_length(std::string_view s) noexcept {
  constexpr std::size_t most_digits = 18;
  if (s.empty() || s.size() > most_digits)
    return std::nullopt;
  std::uint64_t n = 0;
  for (char c : s) {
    if (!is_digit(c))
      return std::nullopt;
    n = n * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return n;
}

} // namespace mistify::rpc::text
