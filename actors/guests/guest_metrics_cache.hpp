#pragma once

#include "rpc/base/json.hpp"
#include "rpc/model/model.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mistify::actors {

/// The three kinds of guest metrics.
enum class figure_kind : std::uint8_t { cpu, disk, nic };
inline constexpr std::array figure_kinds{figure_kind::cpu, figure_kind::disk, figure_kind::nic};

/// The latest metrics of a guest from the sub-agents.
struct guest_metrics {
  using clock = std::chrono::steady_clock;

  std::string guest;
  std::array<std::optional<clock::time_point>, figure_kinds.size()> taken; ///< by kind; null: unknown
  std::vector<rpc::guest_cpu_metrics> cpus;
  std::map<std::string, rpc::guest_disk_metrics> disks;
  std::map<std::string, rpc::guest_nic_metrics> nics;

  /// Returns the time of the oldest kind; null if all are unknown.
  std::optional<clock::time_point> oldest() const;
};

/// The latest metrics of all guests. Thread-safe; returned values are immutable.
class guest_metrics_cache {
public:
  using entry = std::shared_ptr<const guest_metrics>;

  /// `most_devices`: how many devices of each kind are kept for a guest.
  explicit guest_metrics_cache(std::size_t most_devices) : most_devices_{most_devices} {}

  /// Another bound, for answers from now on.
  void set_most_devices(std::size_t most) noexcept { most_devices_ = most; }

  /// Stores a sub-agent's answer. Throws `failure{sub_agent_failed}` if it is invalid.
  void keep(const std::string& guest, figure_kind kind, const rpc::json::node& result);
  /// Removes one kind, because the sub-agent does not have it (any more).
  void drop(const std::string& guest, figure_kind kind);
  /// Removes the guests for which `is_there` is false.
  void retain(const std::function<bool(const std::string& guest)>& is_there);

  /// Returns all metrics, sorted by guest id.
  std::vector<entry> all() const;

private:
  void change(const std::string& guest, const std::function<void(guest_metrics&)>& how);

  std::atomic<std::size_t> most_devices_;
  mutable std::mutex mutex_;
  std::map<std::string, entry, std::less<>> entries_;
};

} // namespace mistify::actors
