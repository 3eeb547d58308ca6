#pragma once

#include "rpc/base/time.hpp"

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

namespace mistify::store {

/// Sums over all guests. MB and processors.
struct host_sums {
  struct amounts {
    std::uint64_t memory = 0, cpu = 0;
    bool operator==(const amounts&) const = default;
  };
  amounts allocated;         ///< of guests that hold their memory, and of those whose start is queued or runs
  amounts promised;          ///< of all guests
  std::uint64_t disk = 0;    ///< of all guests
  std::uint64_t guests = 0;  ///< how many there are
  std::uint64_t running = 0; ///< of those, how many `allocated` counts
  bool operator==(const host_sums&) const = default;
};

/// What all guests together may have. Null: no bound.
struct host_limits {
  std::optional<std::uint64_t> memory, cpu, disk;
};

/// Returns what holds now; null without admission. Throws `unavailable` if the host's size is not known well enough.
/// Called on the journal's thread; does not block.
using limits_source = std::function<std::optional<host_limits>()>;

/// Whether new guests and starts are refused for now.
struct maintenance {
  bool on = false;
  std::string reason;
  rpc::timestamp since{}; ///< unset while it is off
};

/// The committed state of the host for readers on any thread. Only the journal changes it, after its commit.
class host_board {
public:
  host_sums sums() const {
    const std::lock_guard lock{mutex_};
    return sums_;
  }
  store::maintenance maintenance() const {
    const std::lock_guard lock{mutex_};
    return maintenance_;
  }

  /// Of guests' tags, see store/guest_tag.hpp; constant once the journal is open.
  std::string tag_key() const {
    const std::lock_guard lock{mutex_};
    return tag_key_;
  }

  // -- for the journal ---------------------------------------------------------------------------------------------
  void put(const host_sums& sums) {
    const std::lock_guard lock{mutex_};
    sums_ = sums;
  }
  void put(store::maintenance now) {
    const std::lock_guard lock{mutex_};
    maintenance_ = std::move(now);
  }

  void put_tag_key(std::string key) {
    const std::lock_guard lock{mutex_};
    tag_key_ = std::move(key);
  }

private:
  mutable std::mutex mutex_;
  host_sums sums_;
  store::maintenance maintenance_;
  std::string tag_key_;
};

} // namespace mistify::store
