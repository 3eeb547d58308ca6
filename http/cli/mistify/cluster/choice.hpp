#pragma once

#include "http/cli/mistify/cluster/state.hpp"

#include <cstddef>
#include <string_view>
#include <vector>

/// Which host is meant, and which host fits.
namespace mistify::cli {

/// The host that `asked` means: a whole id or ip, then a prefix of an id that fits one host only. Throws `give_up`:
/// `absent` for none, `usage` with the candidates for several.
const cluster_host& find_host(const std::vector<cluster_host>& hosts, std::string_view asked);

/// A host and the room that it has left after placing.
struct placement {
  const cluster_host* host = nullptr; ///< one of the hosts that were given
  room left;
};

/// The alive hosts that have room for a guest, best first: the one with the most memory left after placing, then the most
/// processors, then the most disk, then the least id. What spreads guests leaves no host full while others are empty.
std::vector<placement> hosts_that_fit(const std::vector<cluster_host>& hosts, const room& guest);

/// Places `count` guests of one size one after the other, each on the best host by the same rule. A host may come more
/// than once. Ends where the next guest has no room.
std::vector<placement> place_guests(const std::vector<cluster_host>& hosts, const room& guest, std::size_t count);

} // namespace mistify::cli
