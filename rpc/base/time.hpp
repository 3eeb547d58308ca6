#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

/// Points in time and their text. Thread-safe.
namespace mistify::rpc {

/// A point in time, UTC, in nanoseconds; the epoch itself stands for "unset".
using timestamp = std::chrono::sys_time<std::chrono::nanoseconds>;

/// RFC 3339 with nanoseconds, trailing zeros trimmed: "2026-11-22T10:00:00.5Z"; unset is "0001-01-01T00:00:00Z".
std::string encode(timestamp value);

/// The reverse, any offset and precision; null if the text is no RFC 3339 time. The Go zero time reads as unset.
std::optional<timestamp> decode_timestamp(std::string_view text) noexcept;

} // namespace mistify::rpc
