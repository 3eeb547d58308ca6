#pragma once

#include "rpc/base/time.hpp"
#include "store/event_feed.hpp"
#include "store/host_board.hpp"
#include "store/tokens.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace mistify::store {

/// Bounds on sizes. A step beyond one throws: `queue_full` for counts, `too_large` for bytes from a client,
/// `sub_agent_failed` for bytes from a sub-agent. Texts are cut. The message names the bound.
struct journal_bounds {
  std::size_t guests = 20'000; ///< living guests
  /// Of a guest's document; one over the bound may be replaced by one not larger.
  std::size_t guest_bytes = 64 * 1024;
  std::size_t metadata_bytes = 256 * 1024; ///< of the hypervisor's metadata as JSON; likewise
  std::size_t message_bytes = 4096;        ///< of a job's message and of the text of an event
};

/// What may change while the journal runs; see `journal_settings`.
struct journal_limits {
  journal_bounds bounds;
  std::size_t keep_jobs = 1000;
  std::chrono::seconds keep_for{0};
  std::size_t most_jobs = 100'000, keep_events = 10'000;
};

struct journal_settings {
  std::string path;                 ///< of the database file; created with its folder's permissions if absent
  std::size_t keep_jobs = 1000;     ///< ended jobs kept, the latest to end; unfinished jobs are always kept
  std::chrono::seconds keep_for{0}; ///< jobs that ended less than this ago are kept beyond `keep_jobs`
  std::size_t most_jobs = 100'000;  ///< ended jobs kept at most, however young
  std::function<std::chrono::steady_clock::time_point()> steady; ///< for `keep_for`; the system's if absent
  std::function<rpc::timestamp()> now;                           ///< the clock, wall time; the system's if absent
  std::function<void(std::string_view message)> warn; ///< told of each broken row that is set aside at the start
  std::size_t keep_events = 10000;                    ///< of the log of events, the newest; a tenth more may be there
  event_feed* events = nullptr;                       ///< hears of each event after its commit; may be absent
  token_index* tokens = nullptr;                      ///< receives the tokens after each commit; may be null
  host_board* host = nullptr;                         ///< receives the host's state after each commit; may be null
  limits_source limits = {};                          ///< of admission; null: every guest is admitted
  std::size_t max_bytes = 0;                          ///< the database grows no further, as on a full disk; 0: no bound
  journal_bounds bounds = {};
  std::function<journal_limits()>
    limits_now;                        ///< asked for at each batch, on the journal's thread; null: as they are here
  std::function<void()> before_commit; ///< for tests: injects a failing commit by throwing a failure

  void take(const journal_limits& from) {
    bounds = from.bounds;
    keep_jobs = from.keep_jobs;
    keep_for = from.keep_for;
    most_jobs = from.most_jobs;
    keep_events = from.keep_events;
  }
};

} // namespace mistify::store
