#pragma once

#include "actors/config/config.hpp"
#include "rpc/base/error.hpp"
#include "rpc/model/host_info.hpp"
#include "store/host_board.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

namespace mistify::actors {

/// One resource of the host as guests may have it. MB or processors.
struct capacity {
  std::uint64_t total = 0;     ///< the host's size, times its ratio, less its reserve
  std::uint64_t allocated = 0; ///< of guests that run or are about to
  std::uint64_t promised = 0;  ///< of all guests
  std::uint64_t free() const noexcept { return total - std::min(total, promised); } ///< total less promised
};

/// What the host has for guests. In maintenance the totals stay as they are.
struct host_capacity {
  capacity memory, cpu, disk;
  std::uint64_t guests = 0, running = 0;
  store::maintenance maintenance;
};

/// The host as GET /host shows it.
struct host_view {
  std::string id, name;
  rpc::host_figures figures;
  std::optional<std::chrono::seconds> age; ///< of the figures; null: no sub-agent has given them yet
  std::string error;                       ///< why the last look failed; empty if it did not
  store::host_sums sums;
  store::maintenance maintenance;
};

/// What is known of the host: the figures of the sub-agents as last fetched, the sums over all guests, maintenance.
/// Thread-safe; never blocks on anything else.
class host_state {
public:
  using clock = std::chrono::steady_clock;

  /// Figures older than this admit nothing any more.
  static constexpr std::chrono::seconds oldest{60};

  /// `options`: null for no admission. `asks`: whether `hostInfo` is configured; if not, the kernel's figures hold, and
  /// every guest is admitted. `board` outlives the object.
  host_state(std::optional<host_options> options, bool asks, const store::host_board& board,
             std::function<clock::time_point()> now = clock::now);

  // -- for host_watch, which fetches the figures -------------------------------------------------------------------
  void put(rpc::host_figures figures);
  void note_failure(std::string why);
  /// After a change of the config. Where nobody is asked any more, the kernel's figures hold again.
  void set_asks(bool asks);
  /// The id that the config gives the host; before anybody reads. Without one it is the machine's own.
  void set_id(std::string id) { given_id_ = std::move(id); }

  // -- for readers -------------------------------------------------------------------------------------------------
  host_view view() const;
  host_capacity capacity() const;
  /// Null while no sub-agent has given figures.
  std::optional<clock::duration> age() const;
  store::maintenance maintenance() const { return board_.maintenance(); }
  /// Of guests' tags, see store/guest_tag.hpp.
  std::string tag_key() const { return board_.tag_key(); }
  bool admits_by_size() const noexcept { return options_ && asks_; }
  bool may_admit_by_size() const noexcept { return options_.has_value(); }

  /// For the journal. Null without admission; throws `unavailable` if the figures are too old.
  std::optional<store::host_limits> limits() const;

private:
  struct known {
    rpc::host_figures figures;
    std::optional<clock::time_point> at;
    std::string error;
  };
  known last() const;
  host_capacity size_of(const rpc::host_figures& figures) const;

  const std::optional<host_options> options_;
  std::atomic<bool> asks_;
  const store::host_board& board_;
  const std::function<clock::time_point()> now_;
  const std::string name_, product_id_;
  std::string given_id_;
  mutable std::mutex mutex_;
  known known_;
};

} // namespace mistify::actors
