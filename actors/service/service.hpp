#pragma once

#include "actors/caf/reply.hpp"
#include "actors/inspect/history.hpp"
#include "actors/inspect/inspectable.hpp"
#include "actors/metrics.hpp"
#include "actors/service/places.hpp"
#include "actors/service/waiting_line.hpp"
#include "rpc/base/missed_time.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>

namespace mistify::actors {

/// How calls reach a sub-agent. The real one runs each on a thread of its own (system.cpp); tests answer by hand.
class caller {
public:
  using done = std::function<void(rpc::outcome<rpc::json::document>)>;

  virtual ~caller() = default;

  /// Begins the call and returns at once. `when_done` is called exactly once, on any thread.
  virtual void start(service_call call, done when_done) = 0;
};

/// A call, a place for a download or a place for a job. Each waits with its claim until that holds a place.
struct waiting_call {
  service_call call; ///< its `place` is the claim; null where it needs none
  reply<rpc::json::document> answer;
  caf::actor_clock::time_point expires; ///< max(): never
};
struct waiting_download {
  place_ptr claim;
  std::string method, guest;
  reply<lease> answer;
};
struct waiting_job {
  place_request request;
  reply<place_ptr> answer;
};
using waiting_work = std::variant<waiting_call, waiting_download, waiting_job>;

/// One endpoint: as many calls in flight as it has places, the rest waits in order.
struct service_state {
  static inline const char* name = "service";

  /// How often waiting calls are looked through for those whose time is over; their time-outs are this exact.
  static constexpr std::chrono::milliseconds sweep_interval{100};

  explicit service_state(service_actor::pointer owner) : self{owner} {}

  /// A call or a download that has its place.
  struct in_flight {
    std::string method, guest, job;
    history::time since;
  };

  service_actor::pointer self;
  std::string endpoint;
  std::shared_ptr<caller> out;
  std::optional<service_metrics> measured; ///< set with the behaviour
  std::shared_ptr<places> gate;
  waiting_line<waiting_work> line;
  std::size_t max_waiting = 0;
  rpc::metrics::gauge_share shown_waiting{};
  std::map<std::uint64_t, in_flight> flying; ///< by number, so the oldest is first
  std::uint64_t last_number = 0;
  bool sweep_is_coming = false;
  rpc::missed_time missed{sweep_interval};
  history past{32};

  bool busy() const noexcept { return !line.empty() || !flying.empty(); }
  void tell(actor_status& to, bool in_full) const;
  const history& recent() const noexcept { return past; }
};

/// `gate` has the places and outlives the actor if that has to be replaced. `max_waiting` bounds what waits for them;
/// beyond it calls are refused. `actors` outlives the actor.
service_actor::behavior_type service_behavior(inspectable_pointer<service_actor, service_state> self,
                                              std::string endpoint, std::shared_ptr<places> gate,
                                              std::size_t max_waiting, std::shared_ptr<caller> out,
                                              service_metrics measured, actor_registry* actors);

} // namespace mistify::actors
