#pragma once

#include "rpc/model/model.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace mistify::agents::container {

/// What the kernel shows of the network interfaces of a container: engines say neither which of their networks an interface
/// belongs to nor, as podman, what each has carried.
class interfaces {
public:
  /// Reads them from /proc. `process` is the first process of the container, as the engine numbers it; `container` the engine's
  /// id, which has to be part of the names of its cgroups. Empty where the process is another one, or out of sight, as that of an engine
  /// in another PID namespace. `proc` is where /proc is.
  static interfaces of(std::int64_t process, std::string_view container, const std::filesystem::path& proc = "/proc");

  /// The figures of the interface whose network has this IPv4 or IPv6 address; their name is the interface's. Null if there is none, or
  /// more than one.
  const rpc::guest_nic_metrics* with(const std::string& address) const;

private:
  struct network {
    std::string interface;
    std::uint32_t first = 0, mask = 0; // of IPv4, as the kernel has them in memory
  };
  struct address6 {
    std::string interface, digits;
  };

  const rpc::guest_nic_metrics* named(std::string_view interface) const;
  void read_figures(std::string_view line);
  void read_route(std::string_view line);
  void read_address(std::string_view line);

  std::vector<rpc::guest_nic_metrics> figures_;
  std::vector<network> networks_;
  std::vector<address6> addresses_;
};

} // namespace mistify::agents::container
