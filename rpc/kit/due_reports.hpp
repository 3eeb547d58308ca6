#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <string>

namespace mistify::rpc {

/// Whose states the agent has still to be told, and when. Only the guest's id is kept: what it is in, is looked up when
/// its turn comes, so the last report is of the last state, whatever order the changes were noticed in. Not thread-safe.
class due_reports {
public:
  using clock = std::chrono::steady_clock;

  /// Beyond so many guests they are all due, which needs one place.
  static constexpr std::size_t most = 10'000;

  /// Stands for all guests, those that are not known here included.
  static inline const std::string everyone;

  /// Due at that time, or already before it.
  void add(const std::string& guest, clock::time_point when);

  /// The next one that is due, which is then no more; nothing if none is yet.
  std::optional<std::string> take(clock::time_point now);

  /// Nothing is due before that time.
  void hold_until(clock::time_point when) noexcept { held_until_ = when; }

  /// When to look again; nothing while nobody is to be told of.
  std::optional<clock::time_point> next() const;

private:
  std::map<std::string, clock::time_point> rows_;
  clock::time_point held_until_ = clock::time_point::min();
};

} // namespace mistify::rpc
