#pragma once

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <utility>

namespace mistify::agents {

/// Which guests wait for room on a disk that is full, and when to look again: soon while there is none, and with growing
/// pauses where a guest that went on was stopped again. Nothing waits, and nothing is looked at, while no guest is paused
/// by a full disk. Not thread-safe.
class room_watch {
public:
  using clock = std::chrono::steady_clock;

  static constexpr std::chrono::seconds look_again{2}, longest{60}, quiet{300};

  /// The guest has stopped for lack of room; does nothing if that is known.
  void add(const std::string& guest, clock::time_point now) {
    auto& row = rows_[guest];
    if (row.due)
      return;
    const bool soon = row.resumed && now - *row.resumed < quiet;
    row.pause = soon ? std::min(longest, row.pause * 2) : look_again;
    row.due = now + row.pause;
  }

  /// There is no room yet.
  void wait_on(const std::string& guest, clock::time_point now) { rows_[guest].due = now + look_again; }

  /// It goes on. What is known of it is kept for a while, in case that it stops again.
  void resumed(const std::string& guest, clock::time_point now) {
    rows_[guest].resumed = now;
    std::erase_if(rows_,
                  [&](const auto& one) { return !one.second.due && now - one.second.resumed.value_or(now) >= quiet; });
  }

  /// It waits no more.
  void drop(const std::string& guest) { rows_.erase(guest); }

  /// The next guest to be looked at, whose time has come; it is to be answered by one of the above.
  std::optional<std::string> take(clock::time_point now) {
    for (auto& [guest, row] : rows_)
      if (row.due && *row.due <= now) {
        row.due.reset();
        return guest;
      }
    return std::nullopt;
  }

  std::optional<clock::time_point> next() const {
    std::optional<clock::time_point> first;
    for (const auto& [guest, row] : rows_)
      if (row.due && (!first || *row.due < *first))
        first = row.due;
    return first;
  }

private:
  struct waiting_guest {
    std::optional<clock::time_point> due{};
    std::optional<clock::time_point> resumed{};
    std::chrono::seconds pause = look_again;
  };
  std::map<std::string, waiting_guest> rows_;
};

} // namespace mistify::agents
