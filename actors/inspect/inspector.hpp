#pragma once

#include "actors/caf/reply.hpp"
#include "actors/inspect/actor_registry.hpp"
#include "actors/inspect/inspectable.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace mistify::actors {

/// Collects the status of all actors without being blocked by any. Idle actors are not queried, since the actor_registry
/// knows their status; the others are queried concurrently, with high priority and one deadline. An actor that owes
/// an answer to an earlier look is not queried again before it answers.
class inspector {
public:
  static inline const char* name = "inspector";

  explicit inspector(inspector_actor::pointer self) : self_{self} {}

  inspector_actor::behavior_type behavior(const actor_registry& actors);

  // The inspector does not query itself: it is always at the current look.
  bool busy() const noexcept { return false; }
  void tell(actor_status&, bool) const noexcept {}
  const history& recent() const noexcept { return history_; }

private:
  /// A look in progress.
  struct look {
    std::vector<actor_status> rows;
    std::map<caf::actor_id, std::size_t> missing; ///< actors that have not answered, with their rows
    std::set<std::size_t> ended;                  ///< rows of actors that ended meanwhile
    std::vector<reply<look_ptr>> askers;
    bool in_full = false;
  };

  caf::result<look_ptr> look_at_all();
  caf::result<look_ptr> look_at_one(const std::string& id);
  void add(look& to, actor_registry::member&& who);
  caf::result<look_ptr> wait_for(look&& begun);
  void ask(const caf::strong_actor_ptr& who, bool in_full);
  void answered(caf::actor_id who, bool in_full, const actor_status* with);
  void tell_late(std::uint64_t number);
  static void fill_in(look& in, std::size_t row, const actor_status* with);
  static void end(look& done);

  inspector_actor::pointer self_;
  history history_{0};
  const actor_registry* actors_ = nullptr;
  std::map<std::uint64_t, look> looks_;            // in progress
  std::uint64_t last_ = 0, of_all_ = 0;            // of_all_: the look at all actors in progress; 0: none
  std::set<std::pair<caf::actor_id, bool>> asked_; // actors that owe an answer, and whether in full
};

/// The behaviour. Spawn it detached, so that it runs even if every thread of the scheduler is blocked. `actors`
/// outlives it.
inspector_actor::behavior_type inspector_behavior(inspectable_pointer<inspector_actor, inspector> self,
                                                  actor_registry* actors);

} // namespace mistify::actors
