#pragma once

#include "actors/inspect/history.hpp"
#include "actors/inspect/inspectable.hpp"
#include "actors/service/service_desk.hpp"

#include <memory>

namespace mistify::actors {

/// One endpoint: hands work to its desk, looks after what waits there, and remembers what failed.
struct service_state {
  static inline const char* name = "service";

  explicit service_state(service_actor::pointer owner) : self{owner} {}

  service_actor::pointer self;
  std::shared_ptr<service_desk> desk;
  history past{32};

  bool busy() const { return desk->busy(); }
  void tell(actor_status& to, bool in_full) const;
  const history& recent() const noexcept { return past; }
};

/// The desk outlives the actor if that has to be replaced. `actors` outlives the actor.
service_actor::behavior_type service_behavior(inspectable_pointer<service_actor, service_state> self,
                                              std::shared_ptr<service_desk> desk, actor_registry* actors);

} // namespace mistify::actors
