#pragma once

#include "actors/guest_runner.hpp"
#include "actors/interfaces.hpp"

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace mistify::actors {

/// Makes a runner for a guest id. Only the front calls it.
using runner_factory = std::function<runner_actor(front_actor front, const std::string& id)>;

/// Knows the runner of every guest, and nothing else about guests.
struct front_state {
  static inline const char* name = "front";

  runner_factory make_runner;
  std::map<std::string, runner_actor, std::less<>> runners;
  std::size_t draining = 0; ///< runners that have not finished their stage
  std::optional<reply<bool>> drained;
  bool stopping = false;
};

/// The behaviour. Begins with a runner for each guest of `guests`, and one named `agent`. A runner that dies is
/// replaced, so that one bad guest stays reachable.
front_actor::behavior_type front(front_actor::stateful_pointer<front_state> self, runner_factory make_runner,
                                 const store::directory* guests);

} // namespace mistify::actors
