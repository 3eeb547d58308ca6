#pragma once

#include "rpc/base/metrics.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace mistify::actors::cluster {

/// Where the registration stands.
enum class standing : std::uint8_t {
  joining, ///< never joined since the start
  joined,  ///< the host is registered and kept alive
  away,    ///< was joined; etcd does not serve now
  refused, ///< another agent has this id
  left,    ///< removed by an administrator; until the next start
};

std::string_view to_string(standing of) noexcept;

/// The registration's standing for readers on any thread, and its counters.
class status {
public:
  explicit status(rpc::metrics::registry& measured);

  struct view {
    standing now = standing::joining;
    std::chrono::system_clock::time_point since = std::chrono::system_clock::now();
    std::string error; ///< empty: none
  };
  view read() const {
    const std::lock_guard lock{mutex_};
    return view_;
  }

  // -- for the registration --------------------------------------------------------------------------------------------
  /// Returns true if the standing or the error is another one now.
  bool set(standing now, std::string error);
  rpc::metrics::counter& writes() noexcept { return writes_; }
  rpc::metrics::counter& keepalives() noexcept { return keepalives_; }
  rpc::metrics::counter& lost_leases() noexcept { return lost_leases_; }
  rpc::metrics::counter& failures() noexcept { return failures_; }
  rpc::metrics::counter& resyncs() noexcept { return resyncs_; }
  void set_left_alone(std::size_t keys) noexcept { left_alone_ = keys; }

private:
  mutable std::mutex mutex_;
  view view_;
  std::atomic<std::uint64_t> left_alone_{0};
  rpc::metrics::counter &writes_, &keepalives_, &lost_leases_, &failures_, &resyncs_;
};

} // namespace mistify::actors::cluster
