#pragma once

#include "http/client/client.hpp"

#include <chrono>
#include <functional>
#include <string_view>

namespace mistify::client {

/// Waits for the end of a job and returns it. Calls `seen` with each state on the way, at least every `pace`. A restart
/// of the agent does not end the wait: it goes on until the agent has been away for `client::outage`. Throws `failure`;
/// `refused` with 404 where there is no such job.
answer<job> wait_for(client& at, std::string_view id, std::chrono::milliseconds pace,
                     const std::function<void(const job&)>& seen);

/// True for what a restart of the agent looks like from outside.
bool looks_like_restart(const failure& e) noexcept;

} // namespace mistify::client
