#include "http/poller.hpp"

#include "rpc/error.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

namespace mistify::http {

namespace {

int checked(int fd) {
  if (fd < 0)
    throw rpc::failure{rpc::errc::unavailable, std::string{"cannot watch connections: "} + std::strerror(errno)};
  return fd;
}

std::uint64_t pack(watch_key k) {
  return std::uint64_t{k.generation} << 32 | static_cast<std::uint32_t>(k.fd);
}

bool control(int epoll, int operation, watch_key key, std::uint32_t events) {
  epoll_event e{};
  e.events = events;
  e.data.u64 = pack(key);
  return ::epoll_ctl(epoll, operation, key.fd, &e) == 0;
}

constexpr std::uint32_t everything = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;

} // namespace

tick now() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count();
}

tick in(std::chrono::milliseconds d) {
  return now() + d.count();
}

poller::poller()
  : epoll_{checked(::epoll_create1(EPOLL_CLOEXEC))}, timer_{checked(
                                                       ::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC))},
    quit_{checked(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC))} {
  control(epoll_, EPOLL_CTL_ADD, {timer_, watch_key::own}, EPOLLIN | EPOLLET);
  control(epoll_, EPOLL_CTL_ADD, {quit_, watch_key::own}, EPOLLIN); // not by edge: for every thread
}

poller::~poller() {
  for (int fd : {epoll_, timer_, quit_})
    ::close(fd);
}

bool poller::add(watch_key key) {
  return control(epoll_, EPOLL_CTL_ADD, key, everything);
}

void poller::remove(int fd) {
  ::epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
}

void poller::repeat(watch_key key) {
  control(epoll_, EPOLL_CTL_MOD, key, everything);
}

std::size_t poller::wait(std::span<epoll_event> events) {
  int n = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
  return n > 0 ? static_cast<std::size_t>(n) : 0;
}

watch_key poller::key_of(const epoll_event& e) {
  return {static_cast<int>(static_cast<std::uint32_t>(e.data.u64)), static_cast<std::uint32_t>(e.data.u64 >> 32)};
}

void poller::alarm_at_latest(tick when) {
  if (when >= alarm_.load()) // the usual case: an alarm that is set comes earlier
    return;
  std::lock_guard lock{alarm_mutex_};
  if (when >= alarm_.load())
    return;
  alarm_.store(when);
  when = std::max<tick>(when, 1); // 0 would switch the timer off
  itimerspec at{};
  at.it_value.tv_sec = when / 1000;
  at.it_value.tv_nsec = when % 1000 * 1'000'000;
  ::timerfd_settime(timer_, TFD_TIMER_ABSTIME, &at, nullptr);
}

void poller::alarm_came() {
  std::uint64_t times = 0;
  [[maybe_unused]] auto n = ::read(timer_, &times, sizeof times);
  alarm_.store(never);
}

void poller::quit() {
  std::uint64_t one = 1;
  [[maybe_unused]] auto n = ::write(quit_, &one, sizeof one);
}

} // namespace mistify::http
