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

/// Makes a runner for a guest id. Only the front calls it.
using runner_factory = std::function<runner_actor(front_actor front, const std::string& id)>;

/// Knows the runner of every guest, and nothing else about guests.
struct front_state {
  static inline const char* name = "front";

  explicit front_state(front_actor::pointer owner) : self{owner} {}

  front_actor::pointer self;
  runner_factory make_runner;
  std::map<std::string, runner_actor, std::less<>> runners;
  std::size_t draining = 0; ///< runners that have not finished their stage
  std::optional<reply<bool>> drained;
  bool stopping = false;
  history::time stopping_since{};
  history past{32};

  bool at_work() const noexcept { return draining > 0; }
  void tell(actor_status& to, bool in_full) const;
  const history& recent() const noexcept { return past; }
};

/// The behaviour. Begins with a runner for each guest of `guests`, and one named `agent`. A runner that dies is
/// replaced, so that one bad guest stays reachable. `actors` outlives it.
front_actor::behavior_type front(inspected_pointer<front_actor, front_state> self, runner_factory make_runner,
                                 const store::directory* guests, roster* actors);

} // namespace mistify::actors
