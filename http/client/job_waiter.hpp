#pragma once

#include "http/client/client.hpp"

#include <chrono>
#include <functional>
#include <string_view>
#include <thread>

namespace mistify::client {

/// True for what a restart of the agent looks like from outside.
bool looks_like_restart(const failure& e) noexcept;

/// Bounds how long calls are repeated while the agent is away. Consecutive waits share one object: the time limit then holds
/// for all of them together, and not for each. Not thread-safe.
class patience {
public:
  using milliseconds = std::chrono::milliseconds;

  /// `at_first`: until the first answer; from then on it is `client::outage`. `on_away` is called once if the agent is
  /// away before its first answer.
  explicit patience(milliseconds at_first = client::outage, std::function<void(const failure&)> on_away = {});

  /// Calls `ask` until it returns; returns what it does. Throws its `failure` if that is not what a restart looks like, or
  /// the agent has been away for too long.
  template <class Ask>
  auto outlast(Ask ask) {
    constexpr milliseconds between_attempts{200};
    for (;;) {
      try {
        auto got = ask();
        note_answer();
        return got;
      } catch (const failure& e) {
        if (!bears(e))
          throw;
      }
      std::this_thread::sleep_for(between_attempts);
    }
  }

private:
  using clock = std::chrono::steady_clock;

  bool bears(const failure& e);
  void note_answer();

  clock::time_point until_;
  std::function<void(const failure&)> on_away_; // empty from the first answer on
};

/// Waits for the end of a job and returns it. Calls `seen` with each state on the way, at least every `pace`. A restart
/// of the agent does not end the wait as long as there is patience. Throws `failure`; `refused` with 404 where there is no
/// such job.
answer<job> wait_for(client& at, std::string_view id, std::chrono::milliseconds pace,
                     const std::function<void(const job&)>& seen, patience& left);

} // namespace mistify::client
