#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <thread>

/// What the agent reports to systemd. Without systemd every call does nothing.
namespace mistify::http::systemd {

/// Reports that the service is ready; `systemctl status` shows `status`.
void tell_ready(const std::string& status);

/// Reports that the service is stopping.
void tell_stopping();

/// The schedule of a watchdog that must be notified once in each `interval`.
///
/// A successful look notifies the watchdog; the next look begins `pause` later. A look without an answer within
/// `longest_look` is followed by another at once. Actors may therefore always hang for up to `interval - pause`: in
/// the worst case the stall begins right before a look, `pause` after the last notification, and ends before the next
/// one is due. With the unit's WatchdogSec=30 this is 30 - 7.5 = 22.5 s.
///
/// Disk stalls may be longer, because a log inside a commit counts as alive for `actor_gateway::longest_commit` (120 s).
/// Looks at it time out, so that a notification is sent every `pause + longest_look` (15 s), the last one when the
/// commit is at least 120 - 15 = 105 s old; systemd ends the agent 30 s later. A disk may therefore stall for up to
/// 135 s: longer than the 30 s until a SCSI command is retried, but not for ever.
struct watchdog_times {
  std::chrono::milliseconds pause, longest_look;

  static watchdog_times of(std::chrono::milliseconds interval) noexcept { return {interval / 4, interval / 4}; }
};

/// Looks and notifies by the schedule of `watchdog_times` until `pause`, which sleeps, returns false.
struct watchdog_feeder {
  std::function<bool(std::chrono::milliseconds longest)> alive;
  std::function<void()> feed;
  std::function<void()> complain; ///< called for each look that failed
  std::function<bool(std::chrono::milliseconds)> pause;

  void run(watchdog_times times) const;
};

/// Notifies systemd's watchdog while `alive` returns true, so that systemd restarts an agent whose actors hang. Runs
/// on its own thread, which `alive` may block for the given time.
class watchdog {
public:
  explicit watchdog(std::function<bool(std::chrono::milliseconds longest)> alive);

private:
  std::jthread feeder_;
};

} // namespace mistify::http::systemd
