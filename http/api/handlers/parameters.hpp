#pragma once

#include "http/api/event_place.hpp"
#include "http/protocol/message.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

/// Query parameters, read strictly: an invalid value is `invalid_request` naming the parameter.
namespace mistify::http::handlers {

/// `?limit=N`: a whole number; default 1000, at most `most`.
std::size_t limit_of(const request& from, std::size_t most = 1000);

/// `?NAME=N`: a whole number, cut to what 63 bits hold; null if absent.
std::optional<std::uint64_t> number_of(const request& from, const std::string& name);

/// `?NAME=30s`: a number with a unit (ms, s, m, h) or of seconds; default `usual`, at most `longest`.
std::chrono::milliseconds duration_of(const request& from, const std::string& name, std::chrono::milliseconds usual,
                                      std::chrono::milliseconds longest);

/// `?wait=30s`; default 0, at most ten minutes.
std::chrono::milliseconds wait_of(const request& from);

/// `?seconds=N` of a profile: a whole number, at least 1; default 30, at most ten minutes.
std::chrono::seconds seconds_of(const request& from);

/// The last event that a client received: the header Last-Event-ID, otherwise `?last_event_id=`; a whole number,
/// optionally with an epoch: "9f86d081884c7d65-17".
std::optional<event_place> last_event_of(const request& from);

/// `?NAME=true` (or 1, or `?NAME` alone), `?NAME=false` (or 0); default `usual`. `?NAME=` is refused: a script's variable was
/// not set.
bool flag_of(const request& from, const std::string& name, bool usual = false);

} // namespace mistify::http::handlers
