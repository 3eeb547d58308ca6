#pragma once

#include "actors/config/config.hpp"
#include "actors/inspect/open_calls.hpp"
#include "actors/interfaces.hpp"
#include "actors/requests.hpp"
#include "actors/runner/info_places.hpp"
#include "actors/service/service_desk.hpp"
#include "store/guest_index.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

namespace mistify::actors {

/// Calls for info pipelines of one stage: handed to the desk of the service by whoever asks, on its thread, and answered past
/// the actors. They take the places that the runners share with them, and people who look inside see them there. Thread-safe;
/// its members outlive the calls.
///
/// Each message that may wake an actor's thread costs as much as the call: with the actors between them, GET metrics/cpu
/// came to 0.50 of what nginx passes on (etc/bench.sh nginx-metrics).
class direct_calls {
public:
  struct surroundings {
    const store::guest_index& guests;
    info_places& info;
    open_calls& out;
    front_actor front; ///< hands failures on to runners
    std::function<std::size_t()> info_limit;
    std::function<std::shared_ptr<service_desk>(const std::string& name)> find_desk;
    std::function<history::time()> now = history::time::clock::now;
  };
  using when_done = std::function<void(rpc::outcome<rpc::json::document>)>;

  explicit direct_calls(surroundings in) : in_{std::move(in)} {}

  /// Calls, or waits for a place at the service, if the runner has a place free and nobody waits for one. `told` is called
  /// once then, on any thread, which it must not block. False, and nothing happens, where the runner is to be asked.
  [[nodiscard]] bool start(const std::string& runner, const info_request& what, when_done told) const;

private:
  struct call;
  rpc::outcome<rpc::json::document> result_of(call& of, rpc::outcome<rpc::json::document> answer) const;

  const surroundings in_;
};

} // namespace mistify::actors
