#pragma once

#include "rpc/model/model.hpp"

#include <cstddef>
#include <string>

namespace mistify::bench {

/// Returns the ids of the guests and jobs that `seed` creates, from 0.
std::string guest_id(std::size_t index);
std::string job_id(std::size_t index);

/// Returns a guest with about 500 bytes of JSON, a realistic size.
rpc::guest sample_guest(std::size_t index);

/// Creates an agent's database with that many guests, and that many ended jobs in its log. Uses the agent's own
/// journal, a thousand jobs a commit: the API would take minutes.
void seed(const std::string& file, std::size_t guests, std::size_t jobs);

} // namespace mistify::bench
