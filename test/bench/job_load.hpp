#pragma once

#include <chrono>
#include <cstdint>

namespace mistify::bench {

/// Returns the number of async jobs a second that ended `Complete`: 16 connections, each with two of the first 32
/// guests. A connection queues a job for both, waits with ?wait until both have ended, and repeats. So every guest
/// always has one job. Throws std::runtime_error if a job ends otherwise.
double jobs_per_second(std::uint16_t port, std::chrono::milliseconds length);

} // namespace mistify::bench
