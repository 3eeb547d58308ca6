#include "http/server.hpp"

#include "http/acceptor.hpp"
#include "http/connection.hpp"
#include "http/core.hpp"

#include <array>
#include <mutex>
#include <sys/epoll.h>
#include <thread>
#include <vector>

namespace mistify::http {

namespace {

/// How many events a worker takes at a time: a handler that takes long holds up the rest of its worker's events.
constexpr std::size_t events_at_once = 4;
/// The alarm comes a little late, so that deadlines close to each other share one.
constexpr tick alarm_slack = 20;

std::uint32_t signals_of(std::uint32_t events) {
  std::uint32_t signals = 0;
  if (events & EPOLLIN)
    signals |= connection::readable;
  if (events & EPOLLOUT)
    signals |= connection::writable;
  if (events & EPOLLRDHUP)
    signals |= connection::half_closed;
  if (events & (EPOLLHUP | EPOLLERR))
    signals |= connection::broken;
  return signals;
}

} // namespace

struct server::impl {
  impl(server_settings s, handler h, error_answers e)
    : shared{std::make_shared<core>(s, std::move(h), std::move(e))}, doors{shared} {}

  void work();
  bool dispatch(const epoll_event& e);
  void on_alarm();
  void tell_all(std::uint32_t signal);
  void stop(std::chrono::milliseconds grace);

  std::shared_ptr<core> shared;
  acceptor doors;
  std::mutex lifecycle;
  bool started = false, stopped = false;
  std::vector<std::thread> workers;
};

void server::impl::work() {
  std::array<epoll_event, events_at_once> events{};
  for (;;) {
    auto n = shared->events.wait(events);
    for (std::size_t i = 0; i < n; ++i)
      if (!dispatch(events[i]))
        return;
  }
}

/// False when the worker is to end.
bool server::impl::dispatch(const epoll_event& e) {
  auto key = poller::key_of(e);
  if (key.generation != watch_key::own) {
    if (auto c = shared->connections.find(key))
      c->post(signals_of(e.events), connection::thread::worker);
    return true;
  }
  if (shared->events.is_quit(key))
    return false;
  if (shared->events.is_alarm(key))
    on_alarm();
  else
    doors.accept_from(key.fd);
  return true;
}

void server::impl::on_alarm() {
  shared->events.alarm_came();
  tick next = never;
  for (const auto& c : shared->connections.due(now(), next))
    c->post(connection::expired, connection::thread::worker);
  if (next != never)
    shared->events.alarm_at_latest(next + alarm_slack);
  doors.retry();
}

void server::impl::tell_all(std::uint32_t signal) {
  for (const auto& c : shared->connections.all())
    c->post(signal, connection::thread::other);
}

void server::impl::stop(std::chrono::milliseconds grace) {
  std::lock_guard lock{lifecycle};
  if (std::exchange(stopped, true))
    return;
  shared->stopping = true;
  doors.close();
  tell_all(connection::stop_idle);
  if (started)
    shared->connections.wait_until_empty(in(grace));
  tell_all(connection::stop_now);
  shared->downloads.stop();
  shared->events.quit();
  for (auto& w : workers)
    w.join();
  tell_all(connection::stop_now); // what has ended just now, and is being closed gently
}

server::server(server_settings settings, handler handle, error_answers errors)
  : impl_{std::make_unique<impl>(settings, std::move(handle), std::move(errors))} {}

server::~server() {
  stop(std::chrono::milliseconds{0});
}

std::uint16_t server::listen(const std::string& address) {
  return impl_->doors.open(address);
}

void server::adopt(int listening_socket) {
  impl_->doors.adopt(listening_socket);
}

void server::start() {
  std::lock_guard lock{impl_->lifecycle};
  if (impl_->stopped || std::exchange(impl_->started, true))
    return;
  for (std::size_t i = 0; i < std::max<std::size_t>(1, impl_->shared->settings.workers); ++i)
    impl_->workers.emplace_back([this] { impl_->work(); });
}

void server::stop(std::chrono::milliseconds grace) {
  impl_->stop(grace);
}

server_stats server::stats() const {
  return impl_->shared->stats();
}

} // namespace mistify::http
