#pragma once

#include <chrono>
#include <cstdint>

namespace mistify::bench {

/// Async jobs that ended `Complete`, a second: 16 connections, each with two of the first 32 guests. A connection queues
/// a job for both, waits with ?wait until both have ended, and begins again. So every guest has work, and none two.
/// Throws std::runtime_error where a job ends otherwise.
double jobs_per_second(std::uint16_t port, std::chrono::milliseconds length);

} // namespace mistify::bench
