#pragma once

#include "actors/config/config.hpp"
#include "http/daemon.hpp"

#include <string>
#include <vector>

namespace mistify::http {

class server;

/// Where the agent is to listen. A socket that systemd holds for the service is served in place of the same address:
/// clients that connect during a restart wait there.
struct listening {
  struct socket {
    int fd = -1;
    bool plain = false; ///< never speaks TLS
  };
  std::vector<socket> inherited;
  std::vector<std::string> addresses;
};

/// Takes the sockets that systemd holds, and the addresses of the command line and the config; loopback if there are none.
/// Throws `failure{config_invalid}` if any client that reaches the machine could do everything, unless the config or the
/// operator allows it.
listening choose_sockets(const daemon_options& wanted, const actors::config& config);

/// The controller of the original calls port 8080 of the address that the host registers itself with. Logs a warning if no
/// socket serves that address.
void warn_if_unreachable(const actors::config& config, const listening& on);

/// Opens them. Returns their names, for people. Throws `failure{config_invalid}`.
std::string open_sockets(server& on, const listening& where);

} // namespace mistify::http
