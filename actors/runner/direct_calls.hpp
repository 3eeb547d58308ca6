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

/// Runs info pipelines of one stage without messages to actors: the caller's thread hands the call to the service's desk. The
/// calls take places that they share with the runners, and the status of a runner includes them. Thread-safe; its members
/// outlive the calls.
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

  /// Starts the call if the runner has a free place and no call waits for one; the call may wait for a place at the service.
  /// Then `told` is called once, on any thread, which it must not block. Returns false if the runner has to be asked.
  [[nodiscard]] bool start(const std::string& runner, const info_request& what, when_done told) const;

private:
  struct call;
  rpc::outcome<rpc::json::document> result_of(call& of, rpc::outcome<rpc::json::document> answer) const;

  const surroundings in_;
};

} // namespace mistify::actors
