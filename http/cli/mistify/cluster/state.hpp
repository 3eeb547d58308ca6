#pragma once

#include "rpc/etcd/client.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// What the keys of a cluster say. Any client of etcd may have written them.
namespace mistify::cli {

/// MB and processors.
struct room {
  std::uint64_t memory = 0, cpu = 0, disk = 0;
  bool operator==(const room&) const = default;
};

struct cluster_host {
  std::string id, ip; ///< a UUID in lower case, and an IPv4 or IPv6 address
  bool alive = false; ///< its heartbeat is there
  room total, available;
  std::size_t guests = 0; ///< that its agent has
};

struct cluster_guest {
  std::string host, id; ///< UUIDs in lower case
  std::string state, reason, job;
  bool host_alive = false; ///< else the state is the last one known
};

struct cluster_state {
  std::vector<cluster_host> hosts;   ///< by id
  std::vector<cluster_guest> guests; ///< by host and id
  std::vector<std::string> left_out; ///< keys that no agent can have written: "KEY: why", keys cut to 120 bytes
};

/// The folders that `read_state` reads, each ending in "/".
std::vector<std::string> folders_of_state(const std::string& prefix);

/// Reads `PREFIX/hypervisors/ID/{metadata,heartbeat}` and `PREFIX/agents/ID/guests/GUEST`. Other keys below the prefix
/// are others' and mean nothing here. Does not throw: what is broken is left out.
cluster_state read_state(std::string_view prefix, const std::vector<rpc::etcd::entry>& keys);

} // namespace mistify::cli
