#pragma once

#include "rpc/model/model.hpp"

#include <cstddef>
#include <string>

namespace mistify::bench {

/// The ids of the guests and jobs that `seed` makes, from 0.
std::string guest_id(std::size_t index);
std::string job_id(std::size_t index);

/// Some 500 bytes of JSON, as the guests of real use have.
rpc::guest sample_guest(std::size_t index);

/// Makes a database as an agent leaves it that has so many guests, and so many jobs in its log that have all ended.
/// Written through the agent's own journal, a thousand jobs a commit: through the API it would take minutes.
void seed(const std::string& file, std::size_t guests, std::size_t jobs);

} // namespace mistify::bench
