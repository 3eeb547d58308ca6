#pragma once

#include "rpc/base/json.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace mistify::actors {

/// The `cluster` object of the config: where this host registers itself. Where it is absent, nowhere.
struct cluster_options {
  std::vector<std::string> etcd;    ///< "http://HOST:PORT" or https
  std::string prefix = "/lochness"; ///< of all keys
  std::string id;                   ///< UUID of this host, lower case
  std::string ip;                   ///< IPv4 address at which the controller reaches this agent
  std::string user, password;       ///< of etcd; empty: none
  std::string ca;                   ///< PEM file; empty: the system's authorities
  std::chrono::seconds ttl{120};    ///< how long the host counts as alive without a sign of it
  bool v2 = false;                  ///< etcd's v2 API, as the original's controller
};

/// Reads and checks it. Throws `failure{invalid_request}` naming the field. Without `id` that of the machine's firmware
/// counts, which is read from the credential `product_uuid` or from /sys.
cluster_options read_cluster_options(const rpc::json::node& value);

} // namespace mistify::actors
