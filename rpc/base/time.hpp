#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

/// Points in time and their text form. Thread-safe.
namespace mistify::rpc {

/// A point in time, UTC, in nanoseconds; the epoch itself means "unset".
using timestamp = std::chrono::sys_time<std::chrono::nanoseconds>;

/// RFC 3339 with nanoseconds, trailing zeros trimmed: "2026-11-22T10:00:00.5Z"; unset is "0001-01-01T00:00:00Z".
std::string encode(timestamp value);

/// Parses RFC 3339 with any offset and precision; null for any other text. The Go zero time reads as unset.
std::optional<timestamp> decode_timestamp(std::string_view text) noexcept;

} // namespace mistify::rpc
