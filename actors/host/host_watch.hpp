#pragma once

#include "actors/caf/reply.hpp"
#include "actors/host/host_state.hpp"
#include "actors/inspect/history.hpp"
#include "actors/inspect/inspectable.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace mistify::actors {

/// Fetches the host's figures by the info action `hostInfo` and stores them in the host's state: on a request if they
/// are older than 5 s, and every 30 s if admission uses them. Requests that come during a fetch share it.
class host_watch {
public:
  static inline const char* name = "host";

  explicit host_watch(host_actor::pointer self) : self_{self} {}

  host_actor::behavior_type behavior(front_actor front, std::function<action_ptr()> find, host_state* state);

  bool busy() const noexcept { return fetching_; }
  void tell(actor_status& to, bool in_full) const;
  const history& recent() const noexcept { return history_; }

private:
  caf::result<bool> refresh();
  void fetch();
  void fetched(const rpc::json::node& results);
  void failed(const rpc::failure& why);
  void answer(bool fresh);

  host_actor::pointer self_;
  front_actor front_;
  std::function<action_ptr()> find_;
  host_state* state_ = nullptr;
  bool fetching_ = false;
  history::time since_{};
  std::vector<reply<bool>> waiting_;
  history history_{8};
};

/// The behaviour. `find` returns the pipeline of `hostInfo`, null if it is not configured. `state` and `actors` outlive it.
host_actor::behavior_type host_behavior(inspectable_pointer<host_actor, host_watch> self, front_actor front,
                                        std::function<action_ptr()> find, host_state* state, actor_registry* actors);

} // namespace mistify::actors
