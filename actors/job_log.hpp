#pragma once

#include "actors/caf/reply.hpp"
#include "actors/inspect/history.hpp"
#include "actors/inspect/inspectable.hpp"
#include "actors/metrics.hpp"
#include "store/journal.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace mistify::actors {

/// The log's settings beside its database.
struct job_log_settings {
  /// Writes what must be on disk before anything else; returns the jobs to resume. Throws `storage_failed`, and is
  /// then called again until it succeeds. Null: no recovery.
  std::function<std::vector<store::unfinished_job>(store::journal&)> recover = nullptr;
  /// Receives those jobs, once.
  std::function<void(std::vector<store::unfinished_job>)> recovered = nullptr;
  /// Records the boot of the host, which is not needed to serve. Called after that; throws `storage_failed`, and is then
  /// called again later, while other writes are taken: they may free the space that it needs. Null: nothing.
  std::function<void(store::journal&)> settle = nullptr;
  /// Returns the bytes free at the database below which new work is refused with `insufficient_space`; 0: no bound. Asked
  /// at most once a second. Null: no bound.
  std::function<std::uint64_t()> least_free = nullptr;
  /// Returns the free bytes. Required with `least_free`.
  std::function<std::uint64_t()> measure_free = nullptr;
};

/// A requester that knows whether it still waits for a response.
class asker {
public:
  virtual bool awaits(caf::message_id request) const = 0;

protected:
  ~asker() = default;
};

/// Groups writes into batches: all messages that arrive during a commit share the next one, so that many requests
/// share one fsync. Each requester gets its response after the commit, or an error if it failed.
struct job_log_state {
  static inline const char* name = "job_log";

  explicit job_log_state(job_log_actor::pointer owner) : self{owner} {}

  job_log_actor::pointer self;
  std::shared_ptr<store::journal> journal;
  job_log_settings settings{};
  commit_metrics* measured = nullptr;        ///< set by the behaviour
  std::optional<rpc::failure> unrecovered{}; ///< the failure of the recovery, until it succeeds
  bool unsettled = false;                    ///< `settle` has failed, and is tried again
  std::optional<rpc::failure> refusal{};     ///< the response to every request that waited during the same failed begin
  bool was_slow = false;                     ///< queued requests may have waited longer than their requesters do
  std::uint64_t free_bytes = 0, least_free = 0; ///< as last measured
  std::optional<caf::actor_clock::time_point> measured_free{};
  /// Called in order when the batch has ended; null: it is durable. True: it had no other step.
  std::vector<std::function<void(const rpc::failure*, bool alone)>> waiting;
  bool commit_is_coming = false;
  bool in_trouble = false;                             ///< the last write failed
  history::time since{};                               ///< begin of the trouble, otherwise of the batch
  std::optional<caf::actor_clock::time_point> written; ///< time of the last commit
  history past{32};

  bool busy() const noexcept { return in_trouble || unrecovered || !waiting.empty(); }
  void tell(actor_status& to, bool in_full) const;
  const history& recent() const noexcept { return past; }
};

/// The behaviour. It blocks on the disk: spawn it detached, except under a test scheduler. `measured` and `actors`
/// outlive the actor.
job_log_actor::behavior_type job_log(inspectable_pointer<job_log_actor, job_log_state> self,
                                     std::shared_ptr<store::journal> journal, commit_metrics* measured,
                                     actor_registry* actors, job_log_settings settings);

} // namespace mistify::actors
