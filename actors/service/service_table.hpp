#pragma once

#include "actors/config/config.hpp"
#include "actors/inspect/actor_registry.hpp"
#include "actors/interfaces.hpp"
#include "actors/metrics.hpp"
#include "actors/service/places.hpp"
#include "actors/service/rpc_caller.hpp"
#include "rpc/base/metrics.hpp"
#include "rpc/client/client.hpp"

#include <atomic>
#include <cstddef>
#include <map>
#include <memory>
#include <shared_mutex>
#include <string>

namespace mistify::actors {

/// The actors of the sub-agents by name. An actor that dies is replaced under the same name. `apply` and `stop` are for one
/// thread; the other members are thread-safe.
class service_table {
public:
  service_table(caf::actor_system& system, const rpc::call_threads& threads, rpc::metrics::registry& measured,
                actor_registry& actors);

  /// Makes the services those of `now`. New ones get an actor. Of one that has changed, calls and downloads that begin later
  /// go to the new endpoint and those in flight end at the old one; what waits for a place keeps its turn. One that is gone
  /// stays for jobs that began with it. Blocks on nothing.
  void apply(const config& now);

  /// Returns the number of calls that all services take at a time, including services that the config no longer has.
  std::size_t calls_at_a_time() const;

  /// Throws `std::out_of_range` for a name that no config had.
  service_handle find(const std::string& name) const;

  /// For downloads; calls go through the actor. Throws as `find`.
  std::shared_ptr<rpc::client> client_of(const std::string& name) const;

  all_jobs_hold hold_jobs() const;

  /// Drops the calls in flight and ends the actors.
  void stop();

private:
  struct row {
    std::shared_ptr<rpc::client> client;
    std::shared_ptr<rpc_caller> out;
    std::shared_ptr<places> gate;
    std::shared_ptr<service_desk> desk;
    service_actor actor;
  };

  void add(const service& s, std::size_t message_bytes);
  void change(row& of, const service& s, std::size_t message_bytes);
  void start(const std::string& name);

  caf::actor_system& system_;
  const rpc::call_threads threads_;
  rpc::metrics::registry& measured_;
  actor_registry& actors_;
  std::atomic<bool> stopping_{false};
  mutable std::shared_mutex mutex_;              // guards the map, and the client and the actor of each row
  std::map<std::string, row, std::less<>> rows_; // rows are never removed
};

} // namespace mistify::actors
