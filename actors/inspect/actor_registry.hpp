#pragma once

#include "actors/inspect/history.hpp"
#include "actors/inspect/open_calls.hpp"
#include "actors/inspect/status.hpp"

#include <caf/all.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mistify::actors {

/// The state of one actor that is visible without its cooperation: its mailbox, the message in progress and whether
/// it has work. The actor writes; any thread may read.
class presence {
public:
  using time = caf::actor_clock::time_point;

  /// A message was enqueued.
  void arrived() noexcept { came_.fetch_add(1, std::memory_order_relaxed); }
  /// The actor's thread begins and ends a message.
  void begins(caf::atom_value message, time now) noexcept;
  void ends(bool taken, bool busy) noexcept;

  /// True if the actor has neither work nor messages, so that a query would add no information.
  bool idle() const noexcept;
  std::size_t mailbox() const noexcept;
  std::optional<actor_status::handling> at(time now) const;

private:
  std::atomic<std::uint64_t> came_{0}, done_{0};
  std::atomic<std::uint64_t> message_{0};
  std::atomic<time::rep> since_{0}; // 0: no message in progress
  std::atomic<bool> at_work_{false};
};

/// The kind of object that gives an actor its name.
enum class named_after : std::uint8_t { nothing, guest, service };

/// All long-lived actors, and the failures of those that died. Thread-safe; outlives the actors.
class actor_registry {
public:
  /// The entry of an actor.
  struct row {
    std::string_view kind;
    named_after subject = named_after::nothing;
    std::string name;
    caf::actor_control_block* actor = nullptr;
    const presence* seen = nullptr;
    std::unique_ptr<history::event> last_error; ///< changed by the actor_registry only
    std::string id() const;
  };

  /// Registers an actor until `leave`. A replacement has the same kind and name.
  void enter(row* who);
  /// Removes an actor that ended. `fault`: the reason if it failed; empty for a normal end.
  void leave(row* who, const std::string& fault, presence::time now);
  /// Records an error that did not end the actor.
  void note_error(row* who, const history::event& what);

  /// An actor to be inspectable.
  struct member {
    actor_status known;          ///< what is known without a query
    caf::strong_actor_ptr actor; ///< null if a query would add no information
  };
  std::vector<member> all(presence::time now) const;
  /// Returns the actor of that id, to be queried in any case. Null if there is none.
  std::optional<member> find(std::string_view id, presence::time now) const;

  std::size_t size() const;

  /// The calls that pass the runners by. The status of a runner includes its own.
  open_calls& open_direct_calls() noexcept { return direct_calls_; }

private:
  struct by_name {
    using is_transparent = void;
    using key = std::pair<std::string_view, std::string_view>; // kind and name
    static key of(const row* r) noexcept { return {r->kind, r->name}; }
    static key of(const key& k) noexcept { return k; }
    bool operator()(const auto& a, const auto& b) const noexcept { return of(a) < of(b); }
  };
  struct fault {
    std::size_t restarts = 0;
    history::event last;
  };
  member look_at(const row& who, presence::time now) const;

  open_calls direct_calls_;
  mutable std::mutex mutex_; // guards the following members
  std::set<row*, by_name> rows_;
  std::map<std::string, fault, std::less<>> faults_; // by id; there are few, if any
};

} // namespace mistify::actors
