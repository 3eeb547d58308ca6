#pragma once

#include "rpc/base/unique_fd.hpp"
#include "rpc/net/reactor.hpp"
#include "rpc/net/timer.hpp"

#include <chrono>
#include <cstdint>
#include <limits>
#include <span>

struct epoll_event;

namespace mistify::http {

/// Milliseconds of the steady clock.
using tick = std::int64_t;
inline constexpr tick never = std::numeric_limits<tick>::max();
tick now();
/// Returns the tick `d` from now.
tick in(std::chrono::milliseconds d);

/// Identifies the source of an event: a connection, by a generation that is not reused soon, or a descriptor of the
/// server itself.
struct watch_key {
  /// Generations: of descriptors that are not connections; the highest, above which the events of reactors are.
  enum : std::uint32_t { own = 0, last = 0x7fff'ffff };
  int fd = -1;
  std::uint32_t generation = own;
};

/// One edge-triggered epoll set: each event is delivered once, to one thread, without re-arming. Contains a timer,
/// an eventfd that wakes every waiting thread, and a reactor for calls of others. Every member is thread-safe.
class poller {
public:
  poller();

  /// Watches for input and hang-up. False with errno set if the kernel refuses.
  bool add(watch_key key);
  void remove(int fd);
  /// Watches for room to write too, from now on, and delivers the current events again, so that a waiting thread takes the
  /// connection over. Only those that need it are watched so: a unix socket reports room each time its client reads.
  void watch_room(watch_key key);

  /// Waits for events; returns their number.
  std::size_t wait(std::span<epoll_event> events);
  static watch_key key_of(const epoll_event& e);

  /// Sets the timer to `when`, unless it is set to an earlier time.
  void alarm_at_latest(tick when);
  bool is_alarm(watch_key key) const { return key.generation == watch_key::own && key.fd == alarm_.fd(); }
  /// Call first on the timer's event; later alarms are delivered again.
  void alarm_came() { alarm_.rang(); }

  /// Waits for what its thread asked others. Events that are the reactor's have no key.
  rpc::reactor& answers() noexcept { return answers_; }

  /// Makes every `wait` from now on return at once with the event for which `is_quit` is true.
  void quit();
  bool is_quit(watch_key key) const { return key.generation == watch_key::own && key.fd == quit_.get(); }

private:
  rpc::unique_fd epoll_, quit_;
  rpc::timer alarm_;
  rpc::reactor answers_{epoll_.get()};
};

} // namespace mistify::http
