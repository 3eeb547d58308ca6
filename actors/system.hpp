#pragma once

#include "actors/config/config.hpp"
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

/// The agent without its HTTP side: database, actors and threads. The one place that starts and stops whatever lives
/// long, in order.
class agent_system {
public:
  /// Opens the database and starts the actors; jobs that had not ended go on at once. Throws `failure{storage_failed}`.
  /// `warn` is told, on any thread, what an operator should know.
  /// What is counted is counted in `measured`, which outlives the system.
  agent_system(const config& settings, rpc::metrics::registry& measured, std::function<void(std::string_view)> warn);

  /// Stops everything; what runs is dropped. Call `drain` first for a clean end.
  ~agent_system();

  /// From here on no job begins a stage; waits for those under way, at most so long. False: some were left, and will
  /// be found interrupted at the next start.
  bool drain(std::chrono::milliseconds longest);

  // -- for the HTTP side; all thread-safe ------------------------------------------------------------------------
  caf::actor_system& actors();
  const front_actor& front() const;
  const job_log_actor& log() const;
  const inspector_actor& inspector() const;
  /// For how long the log has been inside the database; nothing where it is not.
  std::optional<std::chrono::steady_clock::duration> commit_lasts() const;
  const store::directory& guests() const;
  const store::job_reader& jobs() const;
  store::event_feed& events();
  const store::token_index& tokens() const;

  /// Reaches a configured service, for downloads; calls go through its actor.
  rpc::client& client_of(const std::string& service);

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace mistify::actors
