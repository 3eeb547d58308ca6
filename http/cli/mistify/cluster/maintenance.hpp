#pragma once

#include "http/client/transport.hpp"

#include <chrono>
#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

/// Maintenance, which the keys of a cluster do not tell.
namespace mistify::cli {

struct asking_limits {
  std::size_t at_a_time = 16;
  std::chrono::milliseconds each{1'000}; ///< for an answer
  std::chrono::milliseconds all{3'000};  ///< hosts that are not asked by then are not asked
};

/// Asks each agent's `/readyz`, which needs no identity, whether its host is in maintenance. In the order of `agents`;
/// null for an agent that does not answer in time, or not as an agent does. Does not throw.
std::vector<std::optional<bool>> ask_for_maintenance(const std::vector<client::settings>& agents,
                                                     const asking_limits& limits = {});

/// What an answer of `/readyz` says; null for what is none.
std::optional<bool> read_maintenance(std::string_view body);

} // namespace mistify::cli
