#pragma once

#include "actors/inspect/history.hpp"
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

/// What can be seen of one actor from outside, at any time and whatever it is stuck in: its mailbox, the message that it
/// handles and whether it has work. The actor writes; any thread may read.
class presence {
public:
  using time = caf::actor_clock::time_point;

  /// A message has come.
  void arrived() noexcept { came_.fetch_add(1, std::memory_order_relaxed); }
  /// The actor's thread begins with a message, and is done with it.
  void begins(caf::atom_value message, time now) noexcept;
  void ends(bool taken, bool at_work) noexcept;

  /// True where asking it would tell nothing that is not known: it has no work and no message.
  bool idle() const noexcept;
  std::size_t mailbox() const noexcept;
  std::optional<actor_status::handling> at(time now) const;

private:
  std::atomic<std::uint64_t> came_{0}, done_{0};
  std::atomic<std::uint64_t> message_{0};
  std::atomic<time::rep> since_{0}; // 0: it handles none
  std::atomic<bool> at_work_{false};
};

/// What the name of an actor is the name of.
enum class named_after : std::uint8_t { nothing, guest, service };

/// Every long-lived actor, and what became of those that died of a fault. Thread-safe; outlives the actors.
class roster {
public:
  /// The one row of an actor.
  struct row {
    std::string_view kind;
    named_after subject = named_after::nothing;
    std::string name;
    caf::actor_control_block* actor = nullptr;
    const presence* seen = nullptr;
    std::unique_ptr<history::event> last_error; ///< changed by the roster only
    std::string id() const;
  };

  /// The actor is there, until `leave`. One that replaces another has its kind and name.
  void enter(row* who);
  /// The actor has ended. `fault`: why, where it should not have; empty: it had to.
  void leave(row* who, const std::string& fault, presence::time now);
  /// Something went wrong that did not end it.
  void note_error(row* who, const history::event& what);

  /// Somebody to look at.
  struct member {
    actor_status known;          ///< what can be told without asking
    caf::strong_actor_ptr actor; ///< only of whom it is worth asking
  };
  std::vector<member> all(presence::time now) const;
  /// The one of that id, to be asked in any case. Nothing if there is none.
  std::optional<member> find(std::string_view id, presence::time now) const;

  std::size_t size() const;

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

  mutable std::mutex mutex_;
  std::set<row*, by_name> rows_;
  std::map<std::string, fault, std::less<>> faults_; // by id: of few, if any
};

} // namespace mistify::actors
