#pragma once

#include "actors/config/config.hpp"
#include "rpc/base/metrics.hpp"
#include "rpc/client/client.hpp"
#include "store/event_feed.hpp"
#include "store/guest_index.hpp"
#include "store/job_reader.hpp"
#include "store/tokens.hpp"

#include <atomic>
#include <functional>
#include <string>
#include <vector>

namespace mistify::http {

class bridge;
class figure_store;
class gatekeeper;
class guest_list;
class guest_refresh;
class reachability;
class snapshot_names;

/// What handlers work with. Lives as long as the server; everything in it is thread-safe.
struct context {
  const actors::config& settings;
  gatekeeper& gate;
  const store::directory& guests;
  guest_list& list;
  const store::job_reader& jobs;
  store::event_feed& events;
  const store::token_index& tokens;
  bridge& agents;
  reachability& sub_agents;
  const figure_store& figures;
  guest_refresh& refresh;
  snapshot_names& names;
  /// Reaches a configured service, for downloads.
  std::function<rpc::client&(const std::string& service)> client_of;
  /// What the agent counts about itself.
  rpc::metrics::registry& measured;
  /// How this process was started, for the debug endpoint.
  std::vector<std::string> command_line;
  /// The agent stops, and takes no new work.
  std::atomic<bool> draining{false};
};

} // namespace mistify::http
