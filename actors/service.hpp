#pragma once

#include "actors/interfaces.hpp"
#include "actors/metrics.hpp"
#include "actors/reply.hpp"
#include "actors/throttle.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>

namespace mistify::actors {

/// How calls reach a sub-agent. The real one runs each on a thread of its own (system.cpp); tests answer by hand.
class caller {
public:
  using done = std::function<void(rpc::outcome<std::string>)>;

  virtual ~caller() = default;

  /// Begins the call and returns at once. `when_done` is called exactly once, on any thread.
  virtual void start(service_call call, done when_done) = 0;
};

/// A call, or a place for a download, that has not got its place yet.
struct waiting_call {
  service_call call;
  reply<std::string> answer;
  caf::actor_clock::time_point expires; ///< max(): never
};
using waiting_work = std::variant<waiting_call, reply<lease>>;

/// One endpoint: at most `max_pending` calls in flight, the rest waits in order.
struct service_state {
  static inline const char* name = "service";

  explicit service_state() : gate{0, 0} {}

  std::string endpoint;
  std::shared_ptr<caller> out;
  std::optional<service_metrics> measured; ///< set with the behaviour
  throttle<waiting_work> gate;
  bool sweep_is_coming = false;
};

/// `max_waiting` bounds the calls behind those in flight; beyond it they are refused.
service_actor::behavior_type service_behavior(service_actor::stateful_pointer<service_state> self, std::string endpoint,
                                              std::size_t max_pending, std::size_t max_waiting,
                                              std::shared_ptr<caller> out, service_metrics measured);

} // namespace mistify::actors
