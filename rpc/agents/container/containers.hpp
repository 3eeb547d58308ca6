#pragma once

#include "rpc/agents/container/container_call.hpp"
#include "rpc/agents/container/container_facts.hpp"
#include "rpc/agents/container/container_spec.hpp"
#include "rpc/agents/container/engine.hpp"
#include "rpc/agents/container/guest_marks.hpp"
#include "rpc/agents/container/known_containers.hpp"
#include "rpc/agents/guest_locks.hpp"
#include "rpc/model/messages.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mistify::agents::container {

/// The containers behind guests: what each method does to one. A guest's container is named mistify-ID and labelled with
/// the guest; one of that name without the label is somebody else's, and no method touches it. Methods find
/// the container by its name, check the label, and act by its id, so that nobody can put another one in between.
///
/// Any thread may call; calls on one guest take turns. Each returns the guest as it is then. What is done already
/// succeeds once more. Throws std::invalid_argument where the guest cannot be understood or the rules forbid it,
/// `engine_error` with the engine's reason, std::runtime_error ("conflict: …") where a foreign container is in the way,
/// ("not found: …") where there is none.
class containers {
public:
  containers(engine& on, guest_marks& marks, container_rules rules);

  /// Makes container and volumes. A container of the guest with another shape stays as it is, and is an error; one of the
  /// same shape gets what networks it lacks.
  rpc::guest_response create(const container_call& call);
  /// `create`, then `start`.
  rpc::guest_response run(const container_call& call);
  /// Starts it, or wakes it up. Where its id is known that is one call of the engine, and one more for a guest with nics,
  /// whose addresses the engine chooses.
  rpc::guest_response start(const container_call& call);
  /// By the action: poweroff and delete kill it at once. Else its stop signal is sent; a call with `wait` answers `retry`
  /// until it is off, one without waits for the container's stop time and then kills it.
  rpc::guest_response stop(const container_call& call);
  /// Kills and starts it.
  rpc::guest_response restart(const container_call& call);
  /// Stops it by its stop signal, in time as `stop` does, and starts it.
  rpc::guest_response reboot(const container_call& call);
  rpc::guest_response pause(const container_call& call);
  rpc::guest_response unpause(const container_call& call);
  /// Kills and removes it with its volumes. A foreign container is left alone, which the message says.
  rpc::guest_response remove(const container_call& call);

  /// `{"containers":[…]}`, as the engine describes them: all of this sub-agent's.
  std::string list(std::string_view params);
  /// The same of one guest.
  std::string get(std::string_view params);
  /// Makes an image of the container, known by the member `dest` of the params, or of the stage's args. An image that
  /// is there under that id is a conflict. The image says nothing of the guest.
  rpc::image_response save(const rpc::json::node& params);

  /// The guest's container; null if there is none. Throws std::runtime_error for a foreign one.
  std::optional<container_facts> find(const std::string& guest);
  /// The guests that have a container.
  std::vector<std::string> guests();
  /// What the guest is in by now. `unknown`, `missing` if there is no container of its own.
  guest_state look(const std::string& guest);
  /// The ids by which `start` acts. The reader of the engine's events keeps them up to date.
  known_containers& known() noexcept { return known_; }

private:
  std::optional<container_facts> seen(const std::string& guest);
  container_facts need(const std::string& guest);
  rpc::guest_response answer(rpc::guest g);
  void post(const container_facts& to, const std::string& action,
            const std::function<bool(const container_facts&)>& is_done,
            std::chrono::milliseconds time = std::chrono::seconds{60});
  void wake(const container_facts& facts);
  void ask_to_stop(const container_facts& facts);
  void stop_within(const container_facts& facts, std::int64_t seconds);
  void stop_marked(const container_facts& facts, const container_call& call);
  void start_now(const container_facts& facts);
  bool start_known(const std::string& guest);

  std::string image_of(const std::string& name);
  void expect_networks(const container_plan& plan);
  void make_volumes(const container_plan& plan, const std::string& guest);
  void make(const container_plan& plan, const std::string& guest);
  void connect(const container_plan& plan, const std::string& key, const std::vector<container_facts::network>& there);
  void remove_volumes(const std::string& guest);

  engine& engine_;
  guest_marks& marks_;
  const container_rules rules_;
  known_containers known_;
  guest_locks locks_;
};

} // namespace mistify::agents::container
