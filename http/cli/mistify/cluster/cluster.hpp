#pragma once

#include "http/cli/mistify/cluster/choice.hpp"
#include "http/cli/mistify/cluster/state.hpp"
#include "http/cli/mistify/command.hpp"
#include "http/client/address.hpp"
#include "http/client/etcd_reader.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// The cluster of --cluster, read from its etcd.
namespace mistify::cli {

/// Whether a cluster is named, by option or environment.
bool has_cluster(const arguments& args);

/// For one thread. Members throw `give_up`: `usage` for options, `no_answer` or `refused` for etcd.
class cluster {
public:
  explicit cluster(const arguments& args);

  /// Reads all hosts and guests. Prints the keys that it leaves out on standard error.
  cluster_state read();

  /// Reads the hosts only. Prints no left-out keys and counts no guests.
  std::vector<cluster_host> read_hosts();

  /// Where the agent of a host listens, by --port and --tls. Throws as `find_host` too.
  client::address agent_of(std::string_view asked);
  client::address agent_of(const cluster_host& host) const;

private:
  cluster_state read(const std::vector<std::string>& folders);

  std::string prefix_;
  std::uint16_t port_;
  bool tls_;
  client::etcd_reader etcd_;
};

} // namespace mistify::cli
