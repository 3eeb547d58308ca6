#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

/// The status of actors, for people who inspect the agent. Plain values that travel in messages. Times are ages, so
/// that they do not depend on a clock.
namespace mistify::actors {

using age = std::chrono::nanoseconds;

/// The overall state of an actor.
enum class condition : std::uint8_t {
  idle,    ///< neither work nor messages
  working, ///< has work in progress, and answers
  silent,  ///< did not answer in time: the status is what is visible from outside
};

struct actor_status {
  /// The current work: the running job, or the oldest call in flight.
  struct work {
    std::string doing; ///< for people: "waits for the answer of Libvirt.Reboot"
    age since{0};
    std::string job{}, action{};
    std::size_t stage = 0; ///< from 1; 0: none
    std::string method{};  ///< of that stage: "Libvirt.Reboot"
    std::string request{}; ///< the X-Request-ID of the request that queued the job
  };
  /// The use of a bounded resource.
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
  /// The message in progress.
  struct handling {
    std::string message;
    age since{0};
  };
  struct event {
    std::string text, job;
    age since{0};
  };

  std::string id;   ///< "front", "guest_runner:UUID"; a replacement has the same id
  std::string kind; ///< "guest_runner"
  std::string name; ///< "" if there is only one of the kind
  std::string guest, service;
  condition state = condition::idle;
  std::size_t mailbox = 0; ///< messages that wait
  std::optional<handling> at;
  std::optional<work> works_on;
  std::vector<level> throttles;
  std::vector<waiting> queue; ///< in order; the first few unless whole lists were requested
  std::size_t queued = 0;     ///< their total number
  std::vector<call> calls;    ///< in flight, oldest first
  std::size_t calls_out = 0;  ///< their total number
  std::size_t restarts = 0;
  std::optional<event> last_error;
  std::vector<event> history; ///< newest first; only if whole lists were requested
};

/// All actors, stuck ones first. Concurrent requesters share it.
using look_ptr = std::shared_ptr<const std::vector<actor_status>>;

/// The maximum length of lists unless whole lists are requested.
inline constexpr std::size_t most_told = 20;
/// The maximum length of whole lists: the queue of a service may be as long as there are guests.
inline constexpr std::size_t most_told_in_full = 1000;

/// The age of the actor's oldest work; zero if it has none.
age oldest(const actor_status& of);

/// Returns why a person should look at the actor: it is silent, or one work is older than `patience`. Empty: no
/// reason.
std::string why_stuck(const actor_status& of, age patience);

/// Sorts by urgency: silent actors first, then those with work, longest first (actors shared by guests come before
/// all guests if their work takes more than a second, because they block many), then those that were replaced or
/// failed, then the rest by id.
void put_stuck_first(std::vector<actor_status>& all);

/// "42 s", "3 min", "2 h": for people.
std::string in_words(age length);

} // namespace mistify::actors
