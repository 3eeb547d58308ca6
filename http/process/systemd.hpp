#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <thread>
#include <vector>

/// The daemon's side of systemd's service protocol. Without systemd every call does nothing.
namespace mistify::http::service_manager {

/// Listening sockets that were handed over (socket activation); whoever calls owns them. Call once, early.
std::vector<int> inherited_sockets();

/// The service answers from now on; `status` is what `systemctl status` shows.
void tell_ready(const std::string& status);

/// The service stops, and may take so long.
void tell_stopping();

/// How a watchdog is fed that has to be fed once in each `interval`.
///
/// A look that is answered feeds it; the next one begins `pause` later. A look that is not answered within `longest_look`
/// is followed by another at once. So actors that hang for less than `interval - pause` are always borne: the stall
/// begins, at worst, right before a look, `pause` after the last feeding, and ends before the next feeding is due. For the
/// unit's WatchdogSec=30 these are 30 - 7.5 = 22.5 s.
///
/// The disk is borne for longer, since a log that is inside a commit counts as alive for `bridge::longest_commit` (120 s).
/// Looks at it run into their time-out, so that one feeds every `pause + longest_look` (15 s), the last one when the
/// commit is at least 120 - 15 = 105 s old; the agent is ended 30 s after that. So a stall of the disk of up to 135 s is
/// borne: longer than the 30 s that a SCSI command may take before it is tried again, shorter than for ever.
struct watchdog_times {
  std::chrono::milliseconds pause, longest_look;

  static watchdog_times of(std::chrono::milliseconds interval) noexcept { return {interval / 4, interval / 4}; }
};

/// Looks and feeds, as `watchdog_times` says, until `pause`, which waits so long, returns false.
struct watchdog_feeder {
  std::function<bool(std::chrono::milliseconds longest)> alive;
  std::function<void()> feed;
  std::function<void()> complain; ///< called for each look that failed
  std::function<bool(std::chrono::milliseconds)> pause;

  void run(watchdog_times times) const;
};

/// Feeds the unit's watchdog as long as `alive` says so, so that systemd restarts an agent whose actors hang. Asks on
/// a thread of its own, which `alive` may block for as long as it is told.
class watchdog {
public:
  explicit watchdog(std::function<bool(std::chrono::milliseconds longest)> alive);

private:
  std::jthread feeder_;
};

} // namespace mistify::http::service_manager
