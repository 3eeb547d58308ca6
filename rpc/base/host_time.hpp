#pragma once

#include <chrono>
#include <string>

namespace mistify::rpc {

/// A point in time of the host: what `CLOCK_BOOTTIME` says in one boot. Outlives the process and is not changed by
/// anybody who sets the wall clock. A point of another boot is in the past.
struct host_time {
  std::string boot;                  ///< the id of the boot; empty: unset
  std::chrono::nanoseconds since{0}; ///< since that boot, suspended time included

  bool is_set() const noexcept { return !boot.empty(); }
};

/// The id of this boot in the kernel's file; empty if it cannot be read.
std::string read_boot_id(const std::string& path = "/proc/sys/kernel/random/boot_id");

/// The present. Thread-safe. Where the kernel tells no boot id, all points of a process are of one boot, and those of
/// other processes of others.
host_time host_now();

/// The time from `now` to `point`; zero if it has passed, or is of another boot.
inline std::chrono::nanoseconds time_until(const host_time& point, const host_time& now) {
  return point.boot == now.boot && point.since > now.since ? point.since - now.since : std::chrono::nanoseconds{0};
}

} // namespace mistify::rpc
