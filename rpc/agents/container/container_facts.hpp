#pragma once

#include "rpc/base/json.hpp"
#include "rpc/model/model.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mistify::agents::container {

inline constexpr const char* guest_label =
  "mistify.guest"; ///< the id of the guest that a container or volume belongs to
inline constexpr const char* shape_label = "mistify.shape"; ///< SHA-256 of what a container was made from

/// The name of a guest's container.
std::string container_name(const std::string& guest);

/// True for an id of the engine: 64 hexadecimal digits.
bool is_engine_id(std::string_view id) noexcept;

/// A container as the engine describes it (`GET /containers/NAME/json`).
struct container_facts {
  std::string id;
  std::string name;         ///< without the slash before it
  std::string guest, shape; ///< of the labels
  bool running = false;     ///< also while it is paused
  bool paused = false, out_of_memory = false;
  std::int64_t exit_code = 0;
  std::string started;         ///< when its last run began, RFC 3339; "": it never ran
  std::string finished;        ///< when its last run ended
  std::string stop_signal;     ///< as the engine takes it; "": SIGTERM
  std::int64_t stop_time = 10; ///< seconds between that signal and SIGKILL
  bool tty = false;            ///< its output has no frames
  std::int64_t process = 0;    ///< its first one, as the engine's host numbers it; 0: none

  struct network {
    std::string name, mac, address, address6;
  };
  std::vector<network> networks;

  /// What the engine knows exactly this container by, for a path: the id, which never means another one as the name can.
  std::string key() const { return is_engine_id(id) ? id : container_name(guest); }
};

/// Members that are missing or of another type are left as they are: engines differ.
container_facts read_container(const rpc::json::node& inspected);

/// What a guest is in, as guests and reports carry it.
struct guest_state {
  std::string name;   ///< running paused stopped unknown
  std::string reason; ///< "": none
};

/// `stopped_run` is the `started` of the run that this sub-agent stopped last; "": none. Reasons of `stopped`: user, oom,
/// killed (137), shutdown (0), crashed:N; none for a container that never ran.
guest_state state_of(const container_facts& facts, const std::string& stopped_run);

/// Of a guest whose container is not there.
guest_state missing_state();

/// The engine's network that a nic of the guest is on; null if the container is on none of that name.
const container_facts::network* network_of(const rpc::nic& nic, const rpc::guest& g, const container_facts& facts);

/// Writes the state into the guest, and what the engine chose for its nics.
void fill_in(rpc::guest& g, const container_facts& facts, const guest_state& state);

/// Writes state and reason only.
void set_state(rpc::guest& g, const guest_state& state);

} // namespace mistify::agents::container
