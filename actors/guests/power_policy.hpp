#pragma once

#include "rpc/model/power.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace mistify::actors {

/// Decides when the agent starts guests by itself: one after the other when the host has booted, and, with growing
/// pauses, those that went off without a wish. Holds nothing for guests about which nothing is to be decided. Pure
/// logic, no I/O, no threads; belongs to one actor.
class power_policy {
public:
  using time = std::chrono::steady_clock::time_point;

  struct boot_start {
    std::string guest;
    std::int64_t order = 0;
    std::chrono::seconds delay{0};
    std::string job{}; ///< the start that is queued already; empty: none
  };

  /// What is to be done now.
  struct task {
    enum class kind : std::uint8_t { start_by_boot, restart, tell, look };
    kind what;
    std::string guest;
    std::string text{}; ///< of `tell`: the message
    bool owed = false;  ///< of `restart`: by the boot, whose start failed for now; whatever the guest's rules say
  };

  /// A job of a task that has ended.
  struct ended_start {
    std::string guest;
    bool by_boot = false; ///< it was the boot's start of the guest, or a repetition of it
  };

  /// The host has booted. The guests start by `order`, then by id; each after its delay, and when the one before it has
  /// ended. Those whose start is queued already come first, without a delay.
  void booted(std::vector<boot_start> guests, time now);

  /// The guest has gone off and its rules want it back. One that the boot is still to start is off anyhow.
  void went_off(const std::string& guest, const rpc::power_rules& rules, time now);
  /// The boot's start of the guest failed for now: it is tried again as guests are that crashed.
  void boot_start_failed(const std::string& guest, const rpc::power_rules& rules, time now);
  /// The guest runs. If it does for long, what was counted does not count any more.
  void came_on(const std::string& guest, time now);

  /// A client wishes it on or off: what was counted does not count any more, and the boot does not start it, unless that
  /// start is on its way.
  void wished_by_client(const std::string& guest, time now);
  /// The guest is not to be restarted.
  void drop_restart(const std::string& guest);
  /// The guest is deleted.
  void forget(const std::string& guest, time now);

  /// What came of a task: its job was queued, was refused for good, or may be taken later. `queued` returns the start
  /// if its job has ended already: see whether the guest is off.
  std::optional<ended_start> queued(const std::string& guest, const std::string& job, time now);
  void refused(const std::string& guest, time now);
  void put_off(const task& what, time now);

  /// A job of any guest ended. Returns the start if the job was queued by a task.
  std::optional<ended_start> ended(const std::string& job, time now);

  /// What is due, in order; to be done and answered by `queued`, `refused` or `put_off`, except for `tell` and for
  /// `look`: a start of the guest has ended, it may be off.
  std::vector<task> due(time now);
  /// The time of the next task, or of forgetting a guest; null if none waits.
  std::optional<time> next() const;

  /// For people: how many guests wait for their start.
  std::size_t waiting() const noexcept { return boot_.size() + pausing_; }

private:
  enum class phase : std::uint8_t {
    idle,    ///< its start is on its way, or it stays off
    pausing, ///< until its next start
    up,      ///< until it has run for long
  };

  struct record {
    std::deque<time> starts;  ///< within the window
    std::size_t failures = 0; ///< starts since it has run for long
    std::chrono::seconds within{0};
    bool gave_up = false;
    bool owed = false; ///< by the boot
    phase is = phase::idle;
    time until{}; ///< of the phase, unless it is idle
  };
  using records = std::map<std::string, record>;

  void enter(records::value_type& row, phase next, time until = {});
  std::vector<task> due_restarts(time now);
  void set_boot_due(time now);
  void go_on_with_boot(time now);
  void drop_boot_start(const std::string& guest, time now);
  bool is_booting(const std::string& guest) const { return boot_out_ && boot_.front().guest == guest; }

  std::deque<boot_start> boot_;   ///< the first is next, or on its way
  std::set<std::string> booting_; ///< their ids
  std::optional<time> boot_due_;
  bool boot_out_ = false; ///< the task of the first was given out
  records restarts_;
  std::set<std::pair<time, std::string>> timers_; ///< of the records that are not idle
  std::size_t pausing_ = 0;                       ///< number of records in that phase
  std::map<std::string, std::string> jobs_;       ///< guests by the jobs that were queued for them
  std::deque<std::string> early_;                 ///< jobs whose end was noted before `queued`, the latest
  std::vector<task> news_;
};

} // namespace mistify::actors
