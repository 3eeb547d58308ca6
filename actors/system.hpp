#pragma once

#include "actors/cluster/status.hpp"
#include "actors/config/current_config.hpp"
#include "actors/guests/guest_metrics_cache.hpp"
#include "actors/host/host_state.hpp"
#include "actors/interfaces.hpp"
#include "rpc/base/metrics.hpp"
#include "rpc/client/client.hpp"
#include "store/event_feed.hpp"
#include "store/guest_index.hpp"
#include "store/job_reader.hpp"
#include "store/tokens.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace mistify::actors {

class direct_calls;

/// The agent without HTTP: database, actors and threads. Starts and stops all long-lived objects, in order.
class agent_system {
public:
  /// Opens the database and starts the actors; unfinished jobs resume at once. Throws `failure{storage_failed}`.
  /// `warn` is called on any thread with messages for the operator. `settings` and `measured` outlive the system.
  agent_system(current_config& settings, rpc::metrics::registry& measured, std::function<void(std::string_view)> warn);

  /// Stops everything and drops what runs. Call `drain` first for a clean stop.
  ~agent_system();

  /// Replaces the config: actions, services and limits hold from now on. Jobs that were queued before keep their pipelines,
  /// and calls in flight end where they began. What only a start reads stays as it is. For one thread; blocks on nothing.
  void apply(std::shared_ptr<const config> next);

  /// Starts no further stage; waits at most `longest` for those in flight. Returns false if some remain: the next
  /// start finds them interrupted.
  bool drain(std::chrono::milliseconds longest);

  // -- for the HTTP side; all thread-safe ------------------------------------------------------------------------
  caf::actor_system& actors();
  const front_actor& front() const;
  /// What is to be tried before an info request is sent to `front`.
  const direct_calls& direct() const;
  const job_log_actor& log() const;
  const inspector_actor& inspector() const;
  /// For how long the log has been inside the database; null if it is not.
  std::optional<std::chrono::steady_clock::duration> commit_lasts() const;
  const store::guest_index& guests() const;
  const store::job_reader& jobs() const;
  store::event_feed& events();
  const store::token_index& tokens() const;

  /// Where the membership in the cluster stands; null if the config has none.
  std::optional<cluster::status::view> cluster_status() const;
  /// Null if the config has no cluster.
  const cluster_actor& cluster_member() const;
  /// Lets the heartbeat in the cluster go, within `longest`: nothing is placed here any more.
  void resign(std::chrono::milliseconds longest);

  /// What is known of the host: size, sums over all guests, maintenance. `host_watcher` brings its figures up to date.
  const host_state& host() const;
  const host_actor& host_watcher() const;

  /// The metrics of guests as last fetched. `metrics_collector` fetches them.
  const guest_metrics_cache& metrics_of_guests() const;
  const metrics_actor& metrics_collector() const;

  /// The client of a configured service, for downloads; calls go through its actor. A download keeps it to its end.
  std::shared_ptr<rpc::client> client_of(const std::string& service);

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace mistify::actors
