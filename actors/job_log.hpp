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

/// What the log needs beside its database.
struct job_log_settings {
  /// Writes what has to be on disk before anything else is; returns the jobs that go on. Throws `storage_failed`, and is
  /// then called again until it succeeds. Null: nothing has to be.
  std::function<std::vector<store::unfinished_job>(store::journal&)> recover = nullptr;
  /// Receives those jobs, once.
  std::function<void(std::vector<store::unfinished_job>)> recovered = nullptr;
  /// Bytes free at the database below which new work is refused with `insufficient_space`; 0: no bound.
  std::uint64_t free_space = 0;
  /// Measures them. Needed where there is a bound.
  std::function<std::uint64_t()> measure_free = nullptr;
};

/// A sender of requests that can tell whether it still waits for the answer to one.
class asker {
public:
  virtual bool awaits(caf::message_id request) const = 0;

protected:
  ~asker() = default;
};

/// Gathers writes into batches: everything that is in the mailbox while a commit runs shares the next one, so that
/// many requests share one fsync. Whoever asked hears after the commit, or hears why there was none.
struct job_log_state {
  static inline const char* name = "job_log";

  explicit job_log_state(job_log_actor::pointer owner) : self{owner} {}

  job_log_actor::pointer self;
  std::shared_ptr<store::journal> journal;
  job_log_settings settings{};
  commit_metrics* measured = nullptr;        ///< set with the behaviour
  std::optional<rpc::failure> unrecovered{}; ///< why the recovery is not written yet
  std::optional<rpc::failure> refusal{};     ///< answers all that waited for the same failed begin
  bool was_slow = false;                     ///< what waits now may have waited for longer than its asker does
  std::uint64_t free_bytes = 0;              ///< as measured last
  std::optional<caf::actor_clock::time_point> measured_free{};
  /// Told when the batch has ended, in order; nullptr: it is durable.
  std::vector<std::function<void(const rpc::failure*)>> waiting;
  bool commit_is_coming = false;
  bool in_trouble = false;                             ///< the last write was refused
  history::time since{};                               ///< of the trouble, else of the batch
  std::optional<caf::actor_clock::time_point> written; ///< the last commit
  history past{32};

  bool at_work() const noexcept { return in_trouble || unrecovered || !waiting.empty(); }
  void tell(actor_status& to, bool in_full) const;
  const history& recent() const noexcept { return past; }
};

/// The behaviour. It blocks on the disk: spawn it detached, except under a test scheduler. `measured` and
/// `actors` outlive the actor.
job_log_actor::behavior_type job_log(inspected_pointer<job_log_actor, job_log_state> self,
                                     std::shared_ptr<store::journal> journal, commit_metrics* measured, roster* actors,
                                     job_log_settings settings);

} // namespace mistify::actors
