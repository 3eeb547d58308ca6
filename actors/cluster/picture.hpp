#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

/// What the agent says of its host in the cluster, as plain values.
namespace mistify::actors::cluster {

/// MB and processors.
struct resources {
  std::uint64_t memory = 0, disk = 0, cpu = 0;
  bool operator==(const resources&) const = default;
};

struct guest_state {
  std::string state, reason;
  std::string job; ///< the running one, otherwise the last; empty: none is kept
  bool operator==(const guest_state&) const = default;
};

using guest_states = std::map<std::string, guest_state, std::less<>>;

/// The host as it is now.
struct picture {
  resources total, available;
  const guest_states* guests = nullptr; ///< by id
};

} // namespace mistify::actors::cluster
