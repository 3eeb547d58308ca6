#pragma once

#include "rpc/model/model.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace mistify::agents::container {

/// What guests may have, of the command line.
struct container_rules {
  bool host_network = false;                     ///< a nic's network may be `host`
  std::vector<std::filesystem::path> media = {}; ///< folders of files that guests may read
  bool volume_sizes = false;                     ///< the engine's volumes have quotas: a disk's size is passed on
};

/// A volume of the engine that is made with a container. `size` is in MB; 0: any.
struct volume_plan {
  std::string name;
  std::uint64_t size = 0;
};

/// A network that a container is connected to after it was made.
struct network_plan {
  std::string name;
  std::string body; ///< of POST /networks/NAME/connect, without its member `Container`: the text of `EndpointConfig`
};

/// What a guest becomes.
struct container_plan {
  std::string body;  ///< JSON of POST /containers/create
  std::string shape; ///< the same for two guests that become the same container; also a label in `body`
  std::vector<volume_plan> volumes;
  std::vector<std::string> networks;       ///< those that the engine has to have
  std::vector<network_plan> more_networks; ///< beside the first one, which is in `body`
};

/// Throws std::invalid_argument that names the field where the guest cannot be understood or the rules forbid it.
///
/// `image` is what the engine knows the guest's image by. memory (MB) and cpu become limits; the first nic is the container's
/// network, none means no network at all; disks become volumes GUEST-N, or read-only binds of files in `media`. Of the metadata: `container.command` (shell words, or
/// a JSON array), `container.env.NAME`, `container.port.PORT[/udp]` = `[ADDRESS:]HOSTPORT`, `container.read_only` = `true`
/// (a read-only root, with /tmp and /run in memory), `container.capabilities` (names with commas between).
///
/// Always: no capability that was not asked for, and of those only what a process cannot leave its container with; no new privileges; at
/// most 1024 processes; a log of 16 MB; no restart by the engine, which is the agent's to do.
container_plan plan_container(const rpc::guest& g, const std::string& image, const container_rules& rules);

/// Where disk N of a guest is mounted: its absolute `device`, else /disk-N.
std::string mount_point_of(const rpc::disk& d, std::size_t index);

/// The volume of disk N.
std::string volume_name(const std::string& guest, std::size_t index);

} // namespace mistify::agents::container
