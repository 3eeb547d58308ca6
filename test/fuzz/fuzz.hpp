#pragma once

#include "rpc/base/error.hpp"

#include <cstdio>
#include <cstdlib>
#include <initializer_list>
#include <optional>
#include <string_view>
#include <utility>

/// Functions shared by the fuzz targets. Each target is one function over bytes; a finding is a crash, a sanitizer's
/// report, an uncaught exception, or a violated property.
namespace mistify::fuzz {

inline std::string_view text_of(const unsigned char* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

/// Ends the process, which libFuzzer records as a finding, unless the property holds.
inline void demand(bool holds, std::string_view property) {
  if (holds)
    return;
  std::fprintf(stderr, "does not hold: %.*s\n", static_cast<int>(property.size()), property.data());
  std::abort();
}

/// Returns the result of `read`; null if it refused the input. A refusal must have the documented code and a message;
/// any other exception is a finding.
template <class Read>
auto unless_refused(rpc::errc expected, Read read) -> std::optional<decltype(read())> {
  try {
    return read();
  } catch (const rpc::failure& refusal) {
    demand(refusal.code() == expected, "the code of a refusal is the documented one");
    demand(!refusal.message().empty(), "a refusal says why");
    return std::nullopt;
  }
}

} // namespace mistify::fuzz
