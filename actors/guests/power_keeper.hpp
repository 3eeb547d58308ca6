#pragma once

#include "actors/guests/power_policy.hpp"
#include "actors/inspect/history.hpp"
#include "actors/inspect/inspectable.hpp"
#include "store/event_feed.hpp"
#include "store/guest_index.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace mistify::actors {

/// What the keeper uses; const once the actors run.
struct power_context {
  front_actor front;
  job_log_actor log;
  const store::guest_index* guests = nullptr;
  /// The pipeline of an action, or null if it is not configured.
  std::function<action_ptr(std::string_view name)> find_action;
};

/// Does what `power_policy` decides: queues start jobs of the agent's own. One timer for all guests; without anything due
/// it costs nothing.
struct power_keeper {
  static inline const char* name = "power_keeper";

  explicit power_keeper(power_actor::pointer owner) : self{owner} {}

  bool busy() const noexcept { return policy.waiting() > 0; }
  void tell(actor_status& to, bool in_full) const;
  const history& recent() const noexcept { return past; }

  power_actor::pointer self;
  power_context context{};
  power_policy policy;
  std::uint64_t timer = 0; ///< counts the timers: only the latest one counts
  std::optional<power_policy::time> set_for;
  bool stopping = false;
  history past{32};
};

/// The behaviour. `actors` outlives the actor.
power_actor::behavior_type power_behavior(inspectable_pointer<power_actor, power_keeper> self, power_context context,
                                          actor_registry* actors);

/// Passes events that the keeper may act on to `to`, while the returned listener lives. Everything else costs a look at
/// the event's type, on the journal's thread.
store::event_feed::listener send_power_news(store::event_feed& from, const power_actor& to);

} // namespace mistify::actors
