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

/// Feeds the unit's watchdog as long as `alive` says so, so that systemd restarts an agent whose actors hang. Asks twice
/// in each interval, on a thread of its own; `alive` may block for a part of it.
class watchdog {
public:
  explicit watchdog(std::function<bool(std::chrono::milliseconds longest)> alive);

private:
  std::jthread feeder_;
};

} // namespace mistify::http::service_manager
