#pragma once

#include "actors/cluster/status.hpp"
#include "actors/config/current_config.hpp"
#include "actors/host/host_state.hpp"
#include "http/api/views/guest_tags.hpp"
#include "rpc/base/metrics.hpp"
#include "rpc/client/client.hpp"
#include "store/event_feed.hpp"
#include "store/guest_index.hpp"
#include "store/job_reader.hpp"
#include "store/tokens.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace mistify::actors {
class guest_metrics_cache;
}

namespace mistify::http {

class actor_gateway;
class audit_trail;
class gatekeeper;
class guest_list;
class service_probe;
class running_config;
class snapshot_names;

/// The objects that handlers use. Lives as long as the server; every member is thread-safe.
struct context {
  const actors::current_config& settings;
  const running_config& config;
  gatekeeper& gate;
  const store::guest_index& guests;
  guest_list& list;
  const store::job_reader& jobs;
  store::event_feed& events;
  const store::token_index& tokens;
  const actors::host_state& host;
  actor_gateway& agents;
  audit_trail& trail;
  service_probe& sub_agents;
  const actors::guest_metrics_cache& figures;
  snapshot_names& names;
  /// Returns the client of a configured service, for downloads.
  std::function<std::shared_ptr<rpc::client>(const std::string& service)> client_of;
  /// The agent's metrics.
  rpc::metrics::registry& measured;
  /// The arguments of this process, for the debug endpoint.
  std::vector<std::string> command_line;
  /// True while the agent is stopping and accepts no new work.
  std::atomic<bool> draining{false};
  guest_tags tags = {};
  /// Where the membership in the cluster stands; null if the config has none.
  std::function<std::optional<actors::cluster::status::view>()> cluster = {};
};

} // namespace mistify::http
