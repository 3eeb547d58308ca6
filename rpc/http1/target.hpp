#pragma once

#include <optional>
#include <string>
#include <string_view>

/// The target of a request line (RFC 9112, section 3.2).
namespace mistify::rpc::http1 {

/// Null for a "%" without two digits behind it, and for NUL bytes.
std::optional<std::string> percent_decode(std::string_view text);

/// The path of "/a?b", "http://host/a?b" and "*", not decoded.
std::string_view path_of(std::string_view target);

/// What is behind the first "?" and before a "#"; empty where there is none.
std::string_view query_of(std::string_view target);

} // namespace mistify::rpc::http1
