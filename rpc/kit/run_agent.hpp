#pragma once

#include "rpc/kit/server.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace mistify::rpc {

class command_line;

/// The options of every sub-agent that say where it listens: -p, --socket, --allow-user.
struct listen_options {
  std::uint16_t port;
  std::string socket = {};
  std::vector<std::string> users = {};

  void add_to(command_line& options);

  /// What they mean: a socket of the service manager, else `socket`, else the port, with a warning, because every local
  /// user may call there. Throws `failure{config_invalid}` for a user that does not exist.
  listen_at place() const;
};

/// The main of a sub-agent, behind its command line: makes the server, prints where it listens on stdout and systemd that it is
/// ready, serves until SIGINT or SIGTERM. Returns the exit status: 1, with one line on stderr, when the port is taken. Call
/// it before any thread starts, since it blocks the two signals. Calls that run then have `longest_stop`: if the process, with
/// all that is destroyed after the return, has not ended by then, SIGALRM ends it with exit status 1.
int run_agent(std::string_view name, const std::function<server&()>& make,
              std::chrono::seconds longest_stop = std::chrono::seconds{45});

} // namespace mistify::rpc
