#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

/// What actors tell of themselves, for people who look inside. Plain values: they travel in messages. Times are ages, so
/// that nobody has to know on which clock they were taken.
namespace mistify::actors {

using age = std::chrono::nanoseconds;

/// What an actor does as a whole.
enum class condition : std::uint8_t {
  idle,    ///< nothing to do, and nothing in its mailbox
  working, ///< has work under way, and answers
  silent,  ///< did not answer in time: what is told is what can be seen from outside
};

struct actor_status {
  /// What it is at: the job that runs, or the oldest of what is out.
  struct work {
    std::string doing; ///< for people: "waits for the answer of Libvirt.Reboot"
    age since{0};
    std::string job{}, action{};
    std::size_t stage = 0; ///< from 1; 0: none
    std::string method{};  ///< of that stage: "Libvirt.Reboot"
    std::string request{}; ///< the X-Request-ID that the job came with
  };
  /// A place for a bounded number of things.
  struct level {
    std::string name;
    std::size_t running = 0, width = 0, waiting = 0, most_waiting = 0;
  };
  struct waiting {
    std::string job, what; ///< what: the action of a job, the method of a call
  };
  struct call {
    std::string service, method, guest, job; ///< job: empty where none caused it
    age since{0};
  };
  /// The message that an actor handles just now.
  struct handling {
    std::string message;
    age since{0};
  };
  struct event {
    std::string text, job;
    age since{0};
  };

  std::string id;   ///< "front", "guest_runner:UUID"; stays the same when the actor has to be replaced
  std::string kind; ///< "guest_runner"
  std::string name; ///< "" where there is only one of the kind
  std::string guest, service;
  condition state = condition::idle;
  std::size_t mailbox = 0; ///< messages that wait
  std::optional<handling> at;
  std::optional<work> works_on;
  std::vector<level> throttles;
  std::vector<waiting> queue; ///< in order; the first few unless the whole was asked for
  std::size_t queued = 0;     ///< how many there are
  std::vector<call> calls;    ///< in flight, oldest first
  std::size_t calls_out = 0;  ///< how many there are
  std::size_t restarts = 0;
  std::optional<event> last_error;
  std::vector<event> history; ///< newest first; only where the whole was asked for
};

/// All actors, what is stuck first; shared by whoever looked at the same time.
using look_ptr = std::shared_ptr<const std::vector<actor_status>>;

/// What is told of lists unless the whole is asked for.
inline constexpr std::size_t most_told = 20;
/// What is told of lists at most: the queue of a service may be as long as there are guests.
inline constexpr std::size_t most_told_in_full = 1000;

/// How long it has been at the oldest of all that it does; zero where it does nothing.
age oldest(const actor_status& of);

/// Why a person should look at it: it is silent, or is at one thing for longer than `patience`. Empty: no reason.
std::string why_stuck(const actor_status& of, age patience);

/// Puts what needs a look first: the silent, then whoever is at something, longest first (but those that guests share,
/// when they take more than a second, before all guests: what holds them up holds up many), then those that had to be
/// replaced or failed, then the rest by id.
void put_stuck_first(std::vector<actor_status>& all);

/// "42 s", "3 min", "2 h": for people.
std::string in_words(age length);

} // namespace mistify::actors
