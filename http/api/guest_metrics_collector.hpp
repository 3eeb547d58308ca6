#pragma once

#include "actors/config/current_config.hpp"
#include "http/api/actor_gateway.hpp"
#include "http/api/guest_metrics_cache.hpp"
#include "store/guest_index.hpp"

#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace mistify::http {

/// Fetches the metrics of all guests from the sub-agents, in rounds. A scrape starts a round; there are no rounds
/// without scrapes. Each service has its own thread, which requests a few guests at a time, with lower priority than
/// other requests. A service that does not respond in time is skipped until the next round. A round that takes too
/// long ends, and the next one continues at the same guest. Thread-safe.
class guest_metrics_collector {
public:
  /// All arguments outlive this.
  guest_metrics_collector(const actors::current_config& settings, const store::guest_index& guests,
                          actor_gateway& agents, guest_metrics_cache& to);

  /// Waits for the pending responses: close the actor_gateway first.
  ~guest_metrics_collector();

  /// Starts a round, unless one is running or began recently, by the config that holds now. Returns at once.
  void want();

private:
  class lane;

  void add_lanes();

  const actors::current_config& settings_;
  const store::guest_index& guests_;
  actor_gateway& agents_;
  guest_metrics_cache& to_;
  std::mutex mutex_;                                   // guards the following members
  std::shared_ptr<const actors::config> seen_;         // the services with metrics that this config names have lanes
  std::map<std::string, std::unique_ptr<lane>> lanes_; // by service
};

} // namespace mistify::http
