#pragma once

#include "rpc/kit/server.hpp"

#include <cstdint>

namespace mistify::agents {

/// The smallest sub-agent: accepts every guest action, or fails some at random. Methods: `SimpleAgent.` and the
/// action with a capital ("SimpleAgent.Reboot"), also for containers, and `Simple.DoStuff` from the original's
/// example.
class simple_agent {
public:
  /// A call fails with a probability of `percent_failure` percent.
  simple_agent(const rpc::listen_at& where, unsigned percent_failure);

  rpc::server& server() noexcept { return server_; }

private:
  rpc::server server_;
};

} // namespace mistify::agents
