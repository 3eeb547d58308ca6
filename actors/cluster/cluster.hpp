#pragma once

#include "actors/cluster/agent_source.hpp"
#include "actors/cluster/registrar.hpp"
#include "actors/cluster/status.hpp"
#include "actors/config/cluster.hpp"
#include "actors/inspect/history.hpp"
#include "actors/inspect/inspectable.hpp"
#include "actors/interfaces.hpp"
#include "rpc/base/metrics.hpp"

#include <chrono>
#include <memory>
#include <string>

namespace mistify::actors::cluster {

/// This host's membership in a cluster: the registration with all it needs. Thread-safe.
class membership {
public:
  /// Does not wait for etcd. `measured` outlives the object, and the other parts of the agent do until `stop`.
  /// `instance` names the agent's database.
  membership(const cluster_options& options, const std::string& instance, rpc::metrics::registry& measured,
             const host_state& host, const store::guest_index& guests, store::event_feed& events,
             const store::job_reader& jobs);

  status::view read() const { return status_.read(); }
  void leave(registrar::on_done done) { registrar_.leave(std::move(done)); }
  /// Lets the heartbeat go, within `longest`.
  void resign(std::chrono::milliseconds longest);
  /// Ends the registration as a crash would, unless it has ended. The members answer as before.
  void stop();
  std::size_t guests() const { return guests_.size(); }

private:
  const store::guest_index& guests_;
  status status_;
  agent_source source_;
  registrar registrar_;
  store::event_feed::listener listener_;
};

/// The actor of the membership: what others ask of it.
class member {
public:
  static inline const char* name = "cluster";

  explicit member(cluster_actor::pointer self) : self_{self} {}

  cluster_actor::behavior_type behavior(membership* of);

  bool busy() const noexcept { return leaving_; }
  void tell(actor_status& to, bool in_full) const;
  const history& recent() const noexcept { return history_; }

private:
  caf::result<bool> leave(bool force);

  cluster_actor::pointer self_;
  membership* of_ = nullptr;
  bool leaving_ = false;
  history::time since_{};
  history history_{8};
};

/// The behaviour. Both outlive the actor.
cluster_actor::behavior_type member_behavior(inspectable_pointer<cluster_actor, member> self, membership* of,
                                             actor_registry* actors);

} // namespace mistify::actors::cluster
