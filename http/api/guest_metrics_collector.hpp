#pragma once

#include "actors/config/config.hpp"
#include "http/api/actor_gateway.hpp"
#include "http/api/guest_metrics_cache.hpp"
#include "store/guest_index.hpp"

#include <list>
#include <memory>

namespace mistify::http {

/// Fetches the figures of all guests from the sub-agents, in rounds, each begun by somebody who wants to see them; none
/// goes on by itself. Each service has a thread of its own, which asks about a few guests at a time. What it asks gives
/// way to everybody else's requests. A service that does not answer in time is left alone until the next round; a round
/// that takes too long ends, and the next one begins where it ended. Thread-safe.
class guest_refresh {
public:
  /// All outlive this.
  guest_refresh(const actors::config& settings, const store::directory& guests, bridge& agents, figure_store& to);

  /// Waits for the answers that are out: close the bridge first.
  ~guest_refresh();

  /// Begins a round, unless one goes on or began a moment ago. Returns at once.
  void want();

private:
  class lane;

  std::list<lane> lanes_; // fixed after the start
};

} // namespace mistify::http
