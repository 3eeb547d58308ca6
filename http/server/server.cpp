#include "http/server/server.hpp"

#include "http/server/acceptor.hpp"
#include "http/server/connection.hpp"
#include "http/server/leader_followers.hpp"
#include "http/server/server_state.hpp"
#include "rpc/base/error.hpp"

#include <algorithm>
#include <array>
#include <mutex>
#include <optional>
#include <sys/epoll.h>
#include <utility>
#include <vector>

namespace mistify::http {

namespace {

/// How many events are taken off the kernel at a time.
constexpr std::size_t events_at_once = 16;
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

/// The events that a leader of a poller took off the kernel. Its follower dispatches those that are left.
struct came_events {
  std::mutex mutex; // guards the next two
  std::vector<epoll_event> list;
  std::size_t dispatched = 0; // of these
};

struct server::impl {
  impl(server_settings s, handler h, error_answers e)
    : shared{std::make_shared<server_state>(s, std::move(h), std::move(e))}, doors{shared},
      came(shared->pollers.size()) {}

  bool take_turn(leader_followers::place& mine);
  std::optional<epoll_event> next_event(std::size_t of);
  bool dispatch(const epoll_event& e, leader_followers::place& mine);
  void on_alarm();
  void tell_all(std::uint32_t signal);
  void stop(std::chrono::milliseconds grace);

  std::shared_ptr<server_state> shared;
  acceptor doors;
  std::mutex lifecycle;
  bool started = false, stopped = false;
  std::vector<came_events> came; // by poller
  std::optional<leader_followers> workers;
};

bool server::impl::take_turn(leader_followers::place& mine) {
  const auto event = next_event(mine.source());
  mine.begins();
  rpc::reactor::drive_on_this_thread(&shared->pollers.at(mine.source()).answers());
  return !event || dispatch(*event, mine);
}

/// Events that came together are shared, so that none waits for the one before it where that takes long.
std::optional<epoll_event> server::impl::next_event(std::size_t of) {
  auto& [mutex, list, dispatched] = came[of];
  {
    const std::lock_guard lock{mutex};
    if (dispatched < list.size())
      return list[dispatched++];
  }
  std::array<epoll_event, events_at_once> events; // the kernel fills what counts
  const auto n = shared->pollers.at(of).wait(events);
  if (n > 1) {
    const std::lock_guard lock{mutex};
    list.erase(list.begin(), list.begin() + static_cast<std::ptrdiff_t>(std::exchange(dispatched, 0)));
    list.insert(list.end(), events.begin() + 1, events.begin() + n);
  }
  return n > 0 ? std::optional{events.front()} : std::nullopt;
}

/// False when the worker is to end. A TLS handshake takes as long as a hundred reads: others go on meanwhile.
bool server::impl::dispatch(const epoll_event& e, leader_followers::place& mine) {
  auto& own = shared->pollers.at(mine.source());
  if (rpc::reactor::is_mine(e)) {
    own.answers().run_ready({&e, 1});
    return true;
  }
  auto key = poller::key_of(e);
  if (key.generation != watch_key::own) {
    if (auto c = shared->connections.find(key)) {
      if (e.events & EPOLLIN && c->greets())
        mine.steps_down();
      c->post(signals_of(e.events), connection::thread::worker);
    }
    return true;
  }
  if (own.is_quit(key))
    return false;
  if (shared->pollers.first().is_alarm(key))
    on_alarm();
  else
    doors.accept_from(key.fd);
  return true;
}

void server::impl::on_alarm() {
  shared->pollers.first().alarm_came();
  tick next = never;
  for (const auto& c : shared->connections.due(now(), next))
    c->post(connection::expired, connection::thread::worker);
  if (next != never)
    shared->pollers.first().alarm_at_latest(next + alarm_slack);
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
  shared->pages.stop();
  shared->logs.stop();
  shared->packers.stop();
  shared->pollers.quit();
  workers.reset();
  shared->pollers.stop_answers();
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

void server::adopt(int listening_socket, bool plain) {
  impl_->doors.adopt(listening_socket, plain);
}

bool server::set_socket_mode(mode_t mode) {
  return impl_->doors.set_mode(mode);
}

void server::replace_tls(std::shared_ptr<const tls_context> context) {
  if (!impl_->shared->tls())
    throw rpc::failure{rpc::errc::config_invalid, "tls: the TCP listeners are plain until the agent is started again"};
  impl_->shared->replace_tls(std::move(context));
}

void server::set_limits(const server_limits& now) {
  auto& state = *impl_->shared;
  state.connection_shares.set_share(now.connections_of_one);
  state.live_shares.set_share(now.live_of_one);
  state.waiting.set_most(now.waiting_bytes);
  state.least_rate = now.least_rate;
}

void server::start() {
  std::lock_guard lock{impl_->lifecycle};
  if (impl_->stopped || std::exchange(impl_->started, true))
    return;
  impl_->workers.emplace(
    leader_followers::settings{thread_count(impl_->shared->settings), impl_->shared->pollers.size()},
    [this](leader_followers::place& mine) { return impl_->take_turn(mine); });
}

void server::stop(std::chrono::milliseconds grace) {
  impl_->stop(grace);
}

server_stats server::stats() const {
  return impl_->shared->stats();
}

} // namespace mistify::http
