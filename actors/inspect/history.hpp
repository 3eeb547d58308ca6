#pragma once

#include "actors/inspect/status.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace mistify::actors {

/// The latest events of an actor and its last error: a bounded ring. Empty, it takes one pointer, since most actors
/// have no events. Belongs to one actor.
class history {
public:
  using time = std::chrono::steady_clock::time_point;

  struct event {
    time at;
    std::string text, job; ///< job: may be empty
    actor_status::event told(time now) const { return {text, job, now - at}; }
  };

  explicit history(std::size_t most) : most_{most} {}

  void note(time now, std::string text, std::string job = {});
  /// Adds an event that is an error.
  void note_error(time now, const std::string& text, const std::string& job = {});

  /// Returns the last error; null if there was none.
  const event* last_error() const noexcept;
  std::size_t errors() const noexcept { return content_ ? content_->errors : 0; }

  /// Appends the events to `to`, newest first.
  void tell(actor_status& to, time now) const;

private:
  struct content {
    std::vector<event> ring; // grows up to `most`, then the oldest entry is overwritten
    std::size_t next = 0;    // index of the oldest entry, once the ring is full
    event last_error;
    std::size_t errors = 0;
  };
  content& filled();

  std::unique_ptr<content> content_;
  std::size_t most_;
};

} // namespace mistify::actors
