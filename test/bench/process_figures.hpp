#pragma once

#include <chrono>
#include <cstddef>
#include <sys/types.h>

namespace mistify::bench {

/// Bytes of memory that a process has in RAM, and had at most since it began or since `forget_peak`.
std::size_t resident(pid_t id);
std::size_t peak_resident(pid_t id);
void forget_peak(pid_t id);

/// CPU time that the threads which live have used. Counted in nanoseconds, where /proc/PID/stat has hundredths of a
/// second: 1 % of a core for three seconds would be three of those.
std::chrono::nanoseconds cpu_time(pid_t id);

} // namespace mistify::bench
