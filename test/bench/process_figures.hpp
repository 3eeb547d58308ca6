#pragma once

#include <chrono>
#include <cstddef>
#include <sys/types.h>
#include <vector>

namespace mistify::bench {

/// Return a process's resident memory in bytes, now and at its peak since the start or the last `forget_peak`.
std::size_t resident(pid_t id);
std::size_t peak_resident(pid_t id);
void forget_peak(pid_t id);

/// Returns the CPU time used by the living threads. Precise to nanoseconds; /proc/PID/stat has hundredths of a
/// second, only three for 1 % of a core during three seconds.
std::chrono::nanoseconds cpu_time(pid_t id);

/// Returns the living children of a process.
std::vector<pid_t> children_of(pid_t parent);

} // namespace mistify::bench
