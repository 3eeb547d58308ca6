#pragma once

#include "actors/cluster/guest_keys.hpp"
#include "actors/cluster/keys.hpp"
#include "actors/cluster/mirror.hpp"
#include "actors/cluster/picture.hpp"
#include "actors/cluster/status.hpp"
#include "actors/cluster/values.hpp"
#include "rpc/base/error.hpp"
#include "rpc/etcd/client.hpp"

#include <chrono>
#include <functional>
#include <set>
#include <string>

namespace mistify::actors::cluster {

struct registration_settings {
  std::string prefix, id, instance; ///< instance: of the agent's database
  network_facts network;
  std::chrono::seconds ttl{120};
};

/// Keeps the keys of one host true. What is to be true is computed from the agent, what is true is watched, and the
/// difference is written. All of it runs on the caller's thread and may block for the client's time-outs; time comes
/// from outside.
///
/// Owner, metadata and heartbeat are written in this order, so that a reader never sees a host without metadata. Every
/// failure ends in `standing::away` or `joining`, and in another try after a pause that doubles.
class registration {
public:
  using clock = std::chrono::steady_clock;

  /// Two writes of one key are at least so far apart.
  static constexpr std::chrono::seconds between_writes{1};

  /// Both outlive the object. `chance` returns numbers from 0 to 1, for jitter.
  registration(registration_settings settings, rpc::etcd::client& etcd, status& shown, std::function<double()> chance);

  /// Does what is due. Does not throw.
  void step(clock::time_point now, const picture& is_to_be);
  /// When `step` has to be called again without any change; it may be called earlier.
  clock::time_point due() const noexcept;
  /// The agent's guests or its host have changed: `step` writes it within a second.
  void note_change(clock::time_point now);
  /// Something failed outside of `step`: begins anew after a pause.
  void note_failure(clock::time_point now, const rpc::failure& why);
  /// What the watch brought.
  void take(clock::time_point now, const rpc::etcd::news& news);

  /// A clean stop: lets heartbeat and owner go; the other keys stay. Throws the client's failures.
  void resign();
  /// Removes this host's keys; nothing registers it again. Throws `conflict` if another agent has this id, and the
  /// client's failures; then the host stays in the cluster.
  void leave(clock::time_point now);

private:
  void join(clock::time_point now, const picture& is_to_be);
  bool may_own(const rpc::etcd::entry& owner) const;
  void refuse(clock::time_point now, const rpc::etcd::entry& owner);
  void list_all(clock::time_point now);
  void look_at_owner(clock::time_point now);
  void keep_lease(clock::time_point now);
  void watch_again();
  void write_differences(clock::time_point now, const picture& is_to_be);
  void write_owner();
  void write_metadata(const picture& is_to_be);
  void write_heartbeat();
  void write_guests(clock::time_point now, const guest_states& guests);
  bool write(const rpc::etcd::change& what);
  void leave_alone(std::set<std::string> keys);
  void fail(clock::time_point now, const rpc::failure& why);
  void show(standing now, const std::string& error);
  clock::duration spread(clock::duration mean) const;

  const registration_settings settings_;
  rpc::etcd::client& etcd_;
  status& status_;
  const std::function<double()> chance_;
  const keys names_;
  mirror is_;
  guest_keys guest_keys_;
  standing standing_ = standing::joining;
  bool was_joined_ = false;
  bool displaced_ = false; ///< another process of the same database took over: it is not taken back while that lives
  clock::duration pause_{0}, watch_pause_{0}; ///< before the next try, and before the next watch
  clock::time_point try_at_{}, keep_at_{}, list_at_{}, watch_at_{}, write_at_{}, wrote_at_{};
  bool watching_ = false;
  bool more_ = false; ///< the present step wrote something, or has more to write
  std::set<std::string> left_alone_, found_;
};

} // namespace mistify::actors::cluster
