#pragma once

#include <caf/all.hpp>

#include <array>
#include <cstddef>

namespace mistify::actors {

/// Actors that this thread's messages from outside have made due, in order. Those beyond go to the scheduler.
struct due_actors {
  static constexpr std::size_t most = 8; ///< a request takes the front and a runner; its answer may make others due
  std::array<caf::resumable*, most> list{};
  std::size_t count = 0, taken = 0;
};

/// Sends a message from outside of the actors. A thread that waits for events runs the actors that the message makes due by
/// itself, and wakes no other one for them; only the first few of them, and of each some messages, so that its events do not
/// wait for long. From any other thread it goes to the scheduler. The caller holds no lock that an actor may need.
void send_from_outside(caf::abstract_actor& to, caf::strong_actor_ptr from, caf::message_id id, caf::message content);

/// Holds the actors that this thread's messages make due, and leaves them to the scheduler at its end. A thread uses it that
/// sends messages, and then has more urgent work than to wake other threads. Within another one it does nothing.
class held_actors {
public:
  held_actors() noexcept;
  ~held_actors();
  held_actors(const held_actors&) = delete;
  held_actors& operator=(const held_actors&) = delete;

private:
  mutable due_actors due_; // changes while a constant one lives, too
};

} // namespace mistify::actors
