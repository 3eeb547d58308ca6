#include "rpc/net/reactor.hpp"

#include "rpc/base/error.hpp"
#include "rpc/base/thread_name.hpp"

#include <array>
#include <cerrno>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <system_error>
#include <unistd.h>

namespace mistify::rpc {

namespace {

/// Numbers of what is no socket that somebody waits for.
enum : std::uint64_t { timer_rings, quits, first_number };

unique_fd checked(int fd) {
  if (fd < 0)
    throw failure{errc::unavailable, "cannot wait for sockets: " + std::generic_category().message(errno)};
  return unique_fd{fd};
}

bool watch(int epoll, int operation, int fd, std::uint32_t events, std::uint64_t number) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = number;
  return ::epoll_ctl(epoll, operation, fd, &event) == 0;
}

} // namespace

reactor::reactor()
  : epoll_{checked(::epoll_create1(EPOLL_CLOEXEC))}, quit_{checked(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC))},
    last_{first_number} {
  watch(epoll_.get(), EPOLL_CTL_ADD, alarm_.fd(), EPOLLIN | EPOLLET, timer_rings);
  watch(epoll_.get(), EPOLL_CTL_ADD, quit_.get(), EPOLLIN, quits);
  thread_ = std::thread{[this] {
    name_thread("reactor");
    run();
  }};
}

reactor::~reactor() {
  stop();
}

void reactor::stop() {
  {
    const std::lock_guard lock{mutex_};
    if (std::exchange(stopping_, true))
      return;
  }
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto n = ::write(quit_.get(), &one, sizeof one);
  thread_.join();
}

bool reactor::when_readable(int fd, deadline until, std::function<void()> then) {
  const std::lock_guard lock{mutex_};
  if (stopping_)
    return false;
  const auto which = ++last_;
  constexpr std::uint32_t once = EPOLLIN | EPOLLRDHUP | EPOLLONESHOT;
  // It is known from the last time, mostly. A socket that is closed is forgotten by itself.
  if (!watch(epoll_.get(), EPOLL_CTL_MOD, fd, once, which) &&
      (errno != ENOENT || !watch(epoll_.get(), EPOLL_CTL_ADD, fd, once, which)))
    return false;
  waiting_.emplace(which, waiting{until, std::move(then)});
  if (until != never)
    ends_.emplace(until, which);
  alarm_.at_latest(until);
  return true;
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
  while (!ends_.empty() && (stopping_ || ends_.begin()->first <= now))
    take(ends_.begin()->second, into);
  if (!ends_.empty())
    alarm_.at_latest(ends_.begin()->first);
}

void reactor::run() {
  std::array<epoll_event, 64> events{};
  for (bool over = false; !over;) {
    const auto n = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), -1);
    ready came;
    {
      const std::lock_guard lock{mutex_};
      for (int i = 0; i < n; ++i) {
        if (events[static_cast<std::size_t>(i)].data.u64 == timer_rings)
          take_late(came);
        else
          take(events[static_cast<std::size_t>(i)].data.u64, came);
      }
      over = stopping_;
      while (over && !waiting_.empty())
        take(waiting_.begin()->first, came);
    }
    for (const auto& then : came)
      then();
  }
}

} // namespace mistify::rpc
