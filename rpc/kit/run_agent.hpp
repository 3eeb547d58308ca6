#pragma once

#include "rpc/kit/server.hpp"

#include <functional>
#include <string_view>

namespace mistify::rpc {

/// The main of a sub-agent, behind its command line: makes the server, tells its port on stdout and systemd that it is
/// ready, serves until SIGINT or SIGTERM. Returns the exit status: 1, with one line on stderr, when the port is taken. Call
/// it before any thread starts, since it blocks the two signals.
int serve_until_signal(std::string_view name, const std::function<server&()>& make);

} // namespace mistify::rpc
