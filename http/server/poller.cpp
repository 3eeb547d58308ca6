#include "http/server/poller.hpp"

#include "rpc/base/error.hpp"

#include <cerrno>
#include <cstring>
#include <string>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace mistify::http {

namespace {

rpc::unique_fd checked(int fd) {
  if (fd < 0)
    throw rpc::failure{rpc::errc::unavailable, std::string{"cannot watch connections: "} + std::strerror(errno)};
  return rpc::unique_fd{fd};
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

constexpr std::uint32_t input = EPOLLIN | EPOLLRDHUP | EPOLLET;

} // namespace

tick now() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count();
}

tick in(std::chrono::milliseconds d) {
  return now() + d.count();
}

poller::poller()
  : epoll_{checked(::epoll_create1(EPOLL_CLOEXEC))}, quit_{checked(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC))} {
  control(epoll_.get(), EPOLL_CTL_ADD, {alarm_.fd(), watch_key::own}, EPOLLIN | EPOLLET);
  control(epoll_.get(), EPOLL_CTL_ADD, {quit_.get(), watch_key::own}, EPOLLIN); // not by edge: for every thread
}

bool poller::add(watch_key key) {
  return control(epoll_.get(), EPOLL_CTL_ADD, key, input);
}

void poller::remove(int fd) {
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
}

void poller::watch_room(watch_key key) {
  control(epoll_.get(), EPOLL_CTL_MOD, key, input | EPOLLOUT);
}

std::size_t poller::wait(std::span<epoll_event> events) {
  int n = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), -1);
  return n > 0 ? static_cast<std::size_t>(n) : 0;
}

watch_key poller::key_of(const epoll_event& e) {
  return {static_cast<int>(static_cast<std::uint32_t>(e.data.u64)), static_cast<std::uint32_t>(e.data.u64 >> 32)};
}

void poller::alarm_at_latest(tick when) {
  if (when != never)
    alarm_.at_latest(rpc::deadline{std::chrono::milliseconds{when}});
}

void poller::quit() {
  std::uint64_t one = 1;
  [[maybe_unused]] auto n = ::write(quit_.get(), &one, sizeof one);
}

} // namespace mistify::http
