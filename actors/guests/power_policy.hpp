#pragma once

#include "rpc/model/power.hpp"

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace mistify::actors {

/// Decides when the agent starts guests by itself: one after the other when the host has booted, and, with growing pauses,
/// those that went off without a wish. Holds nothing for guests about which nothing is to be decided. Pure logic, no I/O,
/// no threads; belongs to one actor.
class power_policy {
public:
  using time = std::chrono::steady_clock::time_point;

  struct boot_start {
    std::string guest;
    std::int64_t order = 0;
    std::chrono::seconds delay{0};
  };

  /// What is to be done now.
  struct task {
    enum class kind : std::uint8_t { start_by_boot, restart, tell };
    kind what;
    std::string guest;
    std::string text{}; ///< of `tell`: for people
  };

  /// The host has booted. The guests start by `order`, then by id; each after its delay, and when the one before it has
  /// ended.
  void booted(std::vector<boot_start> guests, time now);

  /// The guest has gone off and its rules want it back. One that the boot is still to start is off anyhow.
  void went_off(const std::string& guest, const rpc::power_rules& rules, time now);

  /// A client starts it: what was counted does not count any more.
  void started_by_client(const std::string& guest) { restarts_.erase(guest); }
  /// The guest is deleted, or is wished off.
  void forget(const std::string& guest);

  /// What came of a task: its job was queued, was refused for good, or may be taken later.
  void queued(const std::string& guest, const std::string& job, time now);
  void refused(const std::string& guest, time now);
  void put_off(const task& what, time now);

  /// A job of any guest ended. Returns the guest if the job was queued by a task.
  std::optional<std::string> ended(const std::string& job, time now);

  /// What is due, in order; to be done and answered by `queued`, `refused` or `put_off`, except for `tell`.
  std::vector<task> due(time now);
  /// The time of the next task; null if none waits.
  std::optional<time> next() const;

  /// For people: how many guests wait for their start.
  std::size_t waiting() const noexcept { return boot_.size() + restarts_.size(); }

private:
  struct record {
    std::deque<time> starts; ///< within the window
    std::optional<time> due;
    bool gave_up = false;
  };

  void go_on_with_boot(time now);
  bool is_booting(const std::string& guest) const { return boot_out_ && boot_.front().guest == guest; }

  std::deque<boot_start> boot_;   ///< the first is next, or on its way
  std::set<std::string> booting_; ///< their ids
  std::optional<time> boot_due_;
  bool boot_out_ = false; ///< the task of the first was given out
  std::map<std::string, record> restarts_;
  std::map<std::string, std::string> jobs_; ///< guests by the jobs that were queued for them
  std::deque<std::string> early_;           ///< jobs whose end was noted before `queued`, the latest
  std::vector<task> news_;
};

} // namespace mistify::actors
