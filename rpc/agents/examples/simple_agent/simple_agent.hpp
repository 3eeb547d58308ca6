#pragma once

#include "rpc/kit/server.hpp"

#include <cstdint>

namespace mistify::agents {

/// The smallest sub-agent: says yes to every guest action, or no to some. Methods: `SimpleAgent.` and the action with a
/// capital ("SimpleAgent.Reboot"); containers use the same. `Simple.DoStuff` is the one of the original's example.
class simple_agent {
public:
  /// Of a hundred calls, `percent_failure` fail by chance.
  simple_agent(const rpc::listen_at& where, unsigned percent_failure);

  rpc::server& server() noexcept { return server_; }

private:
  rpc::server server_;
};

} // namespace mistify::agents
