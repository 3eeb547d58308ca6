#pragma once

#include "actors/interfaces.hpp"
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

  std::shared_ptr<store::journal> journal;
  commit_metrics* measured = nullptr; ///< set with the behaviour
  /// Told when the batch has ended, in order; nullptr: it is durable.
  std::vector<std::function<void(const rpc::failure*)>> waiting;
  bool commit_is_coming = false;
  bool in_trouble = false;                             ///< the last write was refused
  std::optional<caf::actor_clock::time_point> written; ///< the last commit
};

/// The behaviour. It blocks on the disk: spawn it detached, except under a test scheduler. `measured` outlives
/// the actor.
job_log_actor::behavior_type job_log(job_log_actor::stateful_pointer<job_log_state> self,
                                     std::shared_ptr<store::journal> journal, commit_metrics* measured);

} // namespace mistify::actors
