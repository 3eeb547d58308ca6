#pragma once

#include "http/api/event_place.hpp"
#include "http/protocol/message.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

/// Query parameters, read strictly: what cannot be understood is `invalid_request` naming the parameter.
namespace mistify::http::handlers {

/// `?limit=N`: a whole number; absent is 1000, more than `most` is `most`.
std::size_t limit_of(const request& from, std::size_t most = 1000);

/// `?NAME=30s`: a number with a unit (ms, s, m, h) or of seconds; absent is `usual`, more than `longest` is `longest`.
std::chrono::milliseconds duration_of(const request& from, const std::string& name, std::chrono::milliseconds usual,
                                      std::chrono::milliseconds longest);

/// `?wait=30s`; absent is 0, more than ten minutes is ten minutes.
std::chrono::milliseconds wait_of(const request& from);

/// `?seconds=N` of a profile: a whole number, at least 1; absent is 30, more than ten minutes is ten minutes.
std::chrono::seconds seconds_of(const request& from);

/// The event that a client saw last: the header Last-Event-ID, else `?last_event_id=`; a whole number, or one
/// with an epoch: "9f86d081884c7d65-17".
std::optional<event_place> last_event_of(const request& from);

/// `?NAME=true` (or 1, or no value), `?NAME=false` (or 0); absent is `usual`.
bool flag_of(const request& from, const std::string& name, bool usual = false);

} // namespace mistify::http::handlers
