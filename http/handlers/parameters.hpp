#pragma once

#include "http/message.hpp"

#include <chrono>
#include <cstddef>

/// Query parameters, read strictly: what cannot be understood is `invalid_request` naming the parameter.
namespace mistify::http::handlers {

/// `?limit=N`: a whole number; absent or larger than 1000 is 1000.
std::size_t limit_of(const request& from);

/// `?wait=30s`: a number with a unit (ms, s, m, h) or of seconds; absent is 0, more than ten minutes is ten minutes.
std::chrono::milliseconds wait_of(const request& from);

/// `?seconds=N` of a profile: a whole number, at least 1; absent is 30, more than ten minutes is ten minutes.
std::chrono::seconds seconds_of(const request& from);

/// `?NAME=true` (or 1, or no value); absent, false or 0 is false.
bool flag_of(const request& from, const std::string& name);

} // namespace mistify::http::handlers
