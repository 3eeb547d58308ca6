#pragma once

#include "actors/inspect/history.hpp"
#include "actors/inspect/inspectable.hpp"
#include "actors/runner/guest_runner.hpp"

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace mistify::actors {

/// Creates the runner of a guest id. Only the front calls it.
using runner_factory = std::function<runner_actor(front_actor front, const std::string& id)>;

/// Maps guest ids to runners; knows nothing else about guests.
struct front_state {
  static inline const char* name = "front";

  explicit front_state(front_actor::pointer owner) : self{owner} {}
  ~front_state(); ///< ends the runners

  front_actor::pointer self;
  runner_factory make_runner;
  std::map<std::string, runner_actor, std::less<>> runners;
  std::size_t draining = 0; ///< runners with a stage still in flight
  std::optional<reply<bool>> drained;
  bool stopping = false;
  history::time stopping_since{};
  history past{32};

  bool busy() const noexcept { return draining > 0; }
  void tell(actor_status& to, bool in_full) const;
  const history& recent() const noexcept { return past; }
};

/// The behaviour. Starts a runner for each guest of `guests`, and one named `agent`. Replaces a runner that dies, so
/// that the guest stays reachable. `actors` outlives it.
front_actor::behavior_type front(inspectable_pointer<front_actor, front_state> self, runner_factory make_runner,
                                 const store::guest_index* guests, actor_registry* actors);

} // namespace mistify::actors
