#pragma once

#include "rpc/base/text.hpp"

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

/// Whether all of it stands for itself in a request's target: segments of unreserved characters (RFC 3986, section 2.3).
constexpr bool is_plain_path(std::string_view s) noexcept {
  constexpr std::string_view others = "/-_.~";
  for (char c : s)
    if (!is_digit(c) && (lower(c) < 'a' || lower(c) > 'z') && others.find(c) == others.npos)
      return false;
  return true;
}

} // namespace mistify::rpc::text
