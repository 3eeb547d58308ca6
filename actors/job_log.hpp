#pragma once

#include "actors/history.hpp"
#include "actors/inspected.hpp"
#include "actors/metrics.hpp"
#include "actors/reply.hpp"
#include "store/journal.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace mistify::actors {

/// Gathers writes into batches: everything that is in the mailbox while a commit runs shares the next one, so that
/// many requests share one fsync. Whoever asked hears after the commit, or hears why there was none.
struct job_log_state {
  static inline const char* name = "job_log";

  explicit job_log_state(job_log_actor::pointer owner) : self{owner} {}

  job_log_actor::pointer self;
  std::shared_ptr<store::journal> journal;
  commit_metrics* measured = nullptr; ///< set with the behaviour
  /// Told when the batch has ended, in order; nullptr: it is durable.
  std::vector<std::function<void(const rpc::failure*)>> waiting;
  bool commit_is_coming = false;
  bool in_trouble = false;                             ///< the last write was refused
  history::time since{};                               ///< of the trouble, else of the batch
  std::optional<caf::actor_clock::time_point> written; ///< the last commit
  history past{32};

  bool at_work() const noexcept { return in_trouble || !waiting.empty(); }
  void tell(actor_status& to, bool in_full) const;
  const history& recent() const noexcept { return past; }
};

/// The behaviour. It blocks on the disk: spawn it detached, except under a test scheduler. `measured` and
/// `actors` outlive the actor.
job_log_actor::behavior_type job_log(inspected_pointer<job_log_actor, job_log_state> self,
                                     std::shared_ptr<store::journal> journal, commit_metrics* measured, roster* actors);

} // namespace mistify::actors
