#pragma once

#include "rpc/model/model.hpp"

#include <array>
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

namespace mistify::http {

/// The three questions about a guest.
enum class figure_kind : std::uint8_t { cpu, disk, nic };
inline constexpr std::array figure_kinds{figure_kind::cpu, figure_kind::disk, figure_kind::nic};

/// What the sub-agents said of a guest last.
struct guest_figures {
  using clock = std::chrono::steady_clock;

  std::string guest;
  std::array<std::optional<clock::time_point>, figure_kinds.size()> taken; ///< by kind; none: not known
  std::vector<rpc::guest_cpu_metrics> cpus;
  std::map<std::string, rpc::guest_disk_metrics> disks;
  std::map<std::string, rpc::guest_nic_metrics> nics;

  /// When the oldest of them was taken; none where nothing is known.
  std::optional<clock::time_point> oldest() const;
};

/// The figures of all guests, as they were last told. Thread-safe; what it gives out does not change any more.
class figure_store {
public:
  using entry = std::shared_ptr<const guest_figures>;

  /// `most_devices`: of each kind of a guest's that are kept.
  explicit figure_store(std::size_t most_devices) : most_devices_{most_devices} {}

  /// Takes a sub-agent's answer, JSON text. Throws `failure{sub_agent_failed}` where it cannot be read.
  void keep(const std::string& guest, figure_kind kind, const std::string& result);
  /// The sub-agent has no such figures (any more).
  void drop(const std::string& guest, figure_kind kind);
  /// Forgets the guests that `is_there` does not know.
  void retain(const std::function<bool(const std::string& guest)>& is_there);

  /// By guest id.
  std::vector<entry> all() const;

private:
  void change(const std::string& guest, const std::function<void(guest_figures&)>& how);

  const std::size_t most_devices_;
  mutable std::mutex mutex_;
  std::map<std::string, entry, std::less<>> entries_;
};

/// Writes figures in the text format of Prometheus, in pieces, until `write` is false.
void show_figures(const std::vector<figure_store::entry>& all, const std::function<bool(std::string_view)>& write);

} // namespace mistify::http
