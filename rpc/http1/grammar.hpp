#pragma once

#include "rpc/base/text.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

/// The few rules about characters that reading and writing HTTP share (RFC 9110, section 5.6).
namespace mistify::rpc::text {

constexpr bool is_token_char(char c) noexcept {
  constexpr std::string_view others = "!#$%&'*+-.^_`|~";
  return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z') || others.find(c) != others.npos;
}

constexpr bool is_token(std::string_view s) noexcept {
  for (char c : s)
    if (!is_token_char(c))
      return false;
  return !s.empty();
}

/// True if `s` holds a control character other than a tab.
constexpr bool has_control(std::string_view s) noexcept {
  for (char c : s)
    if (is_control(c) && c != '\t')
      return true;
  return false;
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
