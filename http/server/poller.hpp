#pragma once

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
/// `d` from now.
tick in(std::chrono::milliseconds d);

/// What an event belongs to: a connection, by a number that is never used twice, or something of the server's own.
struct watch_key {
  enum : std::uint32_t { own = 0 }; ///< generation of what is no connection
  int fd = -1;
  std::uint32_t generation = own;
};

/// One epoll set, edge-triggered: an event is told once, to one thread, and nothing has to be armed again. An alarm and
/// a switch that wakes every waiting thread are in it. Every member is thread-safe.
class poller {
public:
  poller();
  ~poller();
  poller(const poller&) = delete;
  poller& operator=(const poller&) = delete;

  /// Watches for input, output and the other end's going. False with errno set when the kernel does not take it.
  bool add(watch_key key);
  void remove(int fd);
  /// Has the events that hold now told again, so that a thread that waits takes the connection up.
  void repeat(watch_key key);

  /// Waits for events; returns how many.
  std::size_t wait(std::span<epoll_event> events);
  static watch_key key_of(const epoll_event& e);

  /// Has the alarm's event come at `when` or earlier.
  void alarm_at_latest(tick when);
  bool is_alarm(watch_key key) const { return key.generation == watch_key::own && key.fd == alarm_.fd(); }
  /// To be called first on the alarm's event; alarms set from here on come again.
  void alarm_came() { alarm_.rang(); }

  /// From here on every `wait` returns at once, with the event that `is_quit`.
  void quit();
  bool is_quit(watch_key key) const { return key.generation == watch_key::own && key.fd == quit_; }

private:
  int epoll_, quit_;
  rpc::alarm_clock alarm_;
};

} // namespace mistify::http
