#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <set>
#include <string>

namespace mistify::http {

/// Names for snapshots that a client asks for without one: `snap-` and the seconds since 1970. A random suffix follows where
/// that name may have been given already: in the same second for the same guest, before a restart, or before the clock was
/// set back. Thread-safe.
class snapshot_names {
public:
  using seconds = std::chrono::sys_seconds;

  /// `latest_before` returns the latest second in which an earlier process may have given a name. Called once, with the
  /// first name.
  explicit snapshot_names(std::function<seconds()> latest_before) : latest_before_{std::move(latest_before)} {}

  /// A name for a snapshot of that guest. `suffix` makes a random text; it is called only where one is needed.
  std::string next(const std::string& guest, seconds now, const std::function<std::string()>& suffix);

private:
  bool is_new(const std::string& guest, seconds now);

  std::function<seconds()> latest_before_; // null once it was called
  std::mutex mutex_;
  seconds given_until_{};        // names of this second and of earlier ones may have been given
  seconds current_{};            // names of this second were given to `guests_`
  std::set<std::string> guests_; // bounded by what is asked for within a second
};

} // namespace mistify::http
