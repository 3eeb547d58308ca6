#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <set>
#include <string>

namespace mistify::http {

/// Generates names for snapshots requested without one: `snap-` and the seconds since 1970. Appends a random suffix
/// if the name may have been used already: for the same guest in the same second, before a restart, or before the
/// clock was set back. Thread-safe.
class snapshot_names {
public:
  using seconds = std::chrono::sys_seconds;

  /// `latest_before` returns the latest second for which an earlier process may have generated a name. Called once,
  /// with the first name.
  explicit snapshot_names(std::function<seconds()> latest_before) : latest_before_{std::move(latest_before)} {}

  /// Returns a name for a snapshot of that guest. `suffix` returns a random text; it is called only if a suffix is
  /// needed.
  std::string next(const std::string& guest, seconds now, const std::function<std::string()>& suffix);

private:
  bool is_new(const std::string& guest, seconds now);

  std::function<seconds()> latest_before_; // null after its call
  std::mutex mutex_;
  seconds given_until_{};        // names of this and of earlier seconds may have been used
  seconds current_{};            // names of this second were given to `guests_`
  std::set<std::string> guests_; // bounded by the requests of one second
};

} // namespace mistify::http
