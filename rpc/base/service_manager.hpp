#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

/// The service's side of systemd's protocols: sd_notify(3), sd_listen_fds(3), sd_watchdog_enabled(3), which document them for
/// programs that do not link libsystemd. Linked, it would bring six more libraries into each start. Without a service
/// manager every call does nothing.
namespace mistify::rpc::service_manager {

/// A listening socket from socket activation.
struct inherited_socket {
  int fd = -1;
  std::string
    name; ///< FileDescriptorName, by default the unit's name; "unknown" if the service manager passed no names
};

/// Returns the sockets and closes them on exec. The environment keeps naming them.
std::vector<inherited_socket> inherited_sockets();

/// As `inherited_sockets`, but a second call returns none, and neither do programs that this one starts. The caller owns the
/// descriptors. Call it early: it changes the environment.
std::vector<inherited_socket> take_inherited_sockets();

/// Sends assignments, one a line, such as "READY=1". Does not block for long, and ignores errors, which no caller could handle.
void notify(const std::string& assignments) noexcept;

/// Returns how often the watchdog must be notified; null if the service manager watches no watchdog of this process.
std::optional<std::chrono::microseconds> watchdog_interval();

} // namespace mistify::rpc::service_manager
