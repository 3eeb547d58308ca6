#include "rpc/net/reactor.hpp"

#include "rpc/base/error.hpp"
#include "rpc/base/thread_name.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <system_error>
#include <unistd.h>

namespace mistify::rpc {

namespace {

/// Set in the data of each event of a reactor, beside its number.
constexpr std::uint64_t mark = std::uint64_t{1} << 63u;

/// Numbers of what is no socket that somebody waits for.
enum : std::uint64_t { timer_rings, quits, first_number };

[[noreturn]] void refuse() {
  throw failure{errc::unavailable, "cannot wait for sockets: " + std::generic_category().message(errno)};
}

unique_fd checked(int fd) {
  if (fd < 0)
    refuse();
  return unique_fd{fd};
}

thread_local reactor* driven_here = nullptr;
thread_local bool waits_here = false;

} // namespace

reactor::reactor()
  : own_set_{checked(::epoll_create1(EPOLL_CLOEXEC))}, quit_{checked(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC))},
    set_{own_set_.get()} {
  watch_own(alarm_.fd(), EPOLLIN | EPOLLET, timer_rings);
  watch_own(quit_.get(), EPOLLIN, quits);
  thread_ = std::thread{[this] {
    name_thread("reactor");
    waits_here = true;
    run();
  }};
}

reactor::reactor(int set) : set_{set} {
  watch_own(alarm_.fd(), EPOLLIN | EPOLLET, timer_rings);
}

reactor::~reactor() {
  stop();
}

reactor* reactor::of_this_thread() noexcept {
  return driven_here;
}

reactor* reactor::drive_on_this_thread(reactor* which) noexcept {
  waits_here |= which != nullptr;
  return std::exchange(driven_here, which);
}

bool reactor::waits_on_this_thread() noexcept {
  return waits_here;
}

void reactor::stop() {
  if (stopping_.exchange(true))
    return;
  if (thread_.joinable()) {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto n = ::write(quit_.get(), &one, sizeof one);
    thread_.join();
  }
  ready left;
  std::unique_lock lock{mutex_};
  while (!waiting_.empty())
    take(waiting_.begin()->first, left);
  lock.unlock();
  for (const auto& then : left)
    then();
}

bool reactor::is_mine(const epoll_event& event) noexcept {
  return (event.data.u64 & mark) != 0;
}

void reactor::watch_own(int fd, std::uint32_t events, number which) const {
  if (!watch(EPOLL_CTL_ADD, fd, events, which))
    refuse();
}

bool reactor::watch(int operation, int fd, std::uint32_t events, number which) const noexcept {
  epoll_event event{};
  event.events = events;
  event.data.u64 = mark | which;
  return ::epoll_ctl(set_, operation, fd, &event) == 0;
}

/// What waits is entered first and watched then, without the lock: its answer may come at once, on another thread.
bool reactor::when_readable(int fd, deadline until, std::function<void()> then) {
  std::unique_lock lock{mutex_};
  if (stopping_)
    return false;
  const auto which = first_number + given_++;
  waiting_.emplace(which, waiting{until, std::move(then)});
  if (until != never)
    ends_.emplace(until, which);
  lock.unlock();
  constexpr std::uint32_t once = EPOLLIN | EPOLLRDHUP | EPOLLONESHOT;
  // It is known from the last time, mostly. A socket that is closed is forgotten by itself.
  const bool watched =
    watch(EPOLL_CTL_MOD, fd, once, which) || (errno == ENOENT && watch(EPOLL_CTL_ADD, fd, once, which));
  alarm_.at_latest(until);
  return watched || !forget(which);
}

/// False if it was called already, or is about to be.
bool reactor::forget(number which) {
  const std::lock_guard lock{mutex_};
  const auto found = waiting_.extract(which);
  if (found)
    ends_.erase({found.mapped().until, which});
  return !found.empty();
}

void reactor::take(number which, ready& into) {
  auto found = waiting_.extract(which);
  if (!found) // its time was over before
    return;
  ends_.erase({found.mapped().until, which});
  into.push_back(std::move(found.mapped().then));
}

void reactor::take_late(ready& into) {
  alarm_.rang();
  const auto now = deadline::clock::now();
  while (!ends_.empty() && ends_.begin()->first <= now)
    take(ends_.begin()->second, into);
  if (!ends_.empty())
    alarm_.at_latest(ends_.begin()->first);
}

void reactor::run() {
  std::array<epoll_event, 64> events{};
  while (!stopping_) {
    const auto n = ::epoll_wait(set_, events.data(), static_cast<int>(events.size()), -1);
    run_ready(std::span{events}.first(static_cast<std::size_t>(std::max(n, 0))));
  }
}

void reactor::run_ready(std::span<const epoll_event> events) {
  ready came;
  {
    const std::lock_guard lock{mutex_};
    for (const auto& event : events) {
      const auto which = event.data.u64 & ~mark;
      if (which == timer_rings)
        take_late(came);
      else
        take(which, came);
    }
  }
  for (const auto& then : came)
    then();
}

} // namespace mistify::rpc
