#include "http/server/connection.hpp"

#include "http/server/transfer.hpp"

#include <poll.h>
#include <string_view>
#include <sys/socket.h>
#include <unistd.h>

namespace mistify::http {

namespace {

constexpr std::uint32_t busy = std::uint32_t{1} << 31; // in signals_, beside the signals

rpc::http1::request_reader::limits reader_limits(const server_settings& of) {
  return {of.max_head, of.max_body, of.body_bound ? &of.body_bound : nullptr};
}

} // namespace

connection::connection(std::shared_ptr<server_state> shared, poller& events, origin from)
  : state_{std::move(shared)}, events_{events}, key_{from.key}, peer_{std::move(from.peer)},
    greets_{from.tls.context != nullptr}, share_{std::move(from.share)}, tls_{std::move(from.tls.context)},
    socket_{tls_ ? client_socket{key_.fd, std::move(from.tls.session)} : client_socket{key_.fd}},
    stage_{tls_ ? stage::greeting : stage::reading}, too_many_{from.too_many}, reader_{reader_limits(state_->settings)},
    pace_{{state_->settings.write_timeout, state_->least_rate, state_->settings.rate_window}} {}

connection::~connection() {
  state_->buffered -= accounted_;
}

void connection::post(std::uint32_t signals, thread on) {
  std::uint32_t before = 0;
  if (signals_.compare_exchange_strong(before, busy)) // the usual case: no other thread works on it
    handle(signals, on);
  else if (signals_.fetch_or(signals | busy) & busy)
    return;
  for (before = busy; !signals_.compare_exchange_strong(before, 0); before = busy)
    handle(signals_.exchange(busy) & ~busy, on);
}

void connection::handle(std::uint32_t signals, thread on) noexcept {
  try {
    try_handle(signals, on);
  } catch (...) {
    // No memory: this client loses its connection, nobody else notices. A download's thread finds the socket shut.
    if (stage_ == stage::downloading)
      ::shutdown(key_.fd, SHUT_RDWR);
    else
      close_hard();
  }
}

void connection::try_handle(std::uint32_t signals, thread on) {
  if (stage_ == stage::closed)
    return;
  may_read_ |= (signals & (readable | half_closed | (tls_wants_room() ? std::uint32_t{writable} : 0U))) != 0;
  half_closed_ |= (signals & half_closed) != 0;
  if (signals & crowded && stage_ == stage::greeting)
    return close();
  if (signals & dropped && waits_) {
    ++state_->dropped;
    return close_hard();
  }
  if (std::exchange(too_many_, false))
    refuse(503, "too many connections");
  handle_end(signals);
  if (signals & expired && deadline() <= now())
    on_deadline();
  if (stage_ == stage::downloading && signals & transferred)
    finish_download();
  if (stage_ == stage::handling && (signals & answered || handed_over_))
    respond(on);
  proceed(on);
  watch_for_room();
}

void connection::handle_end(std::uint32_t signals) {
  bool gone = signals & (broken | stop_now);
  if (stage_ == stage::downloading) {
    // The socket belongs to the download's thread, which notices now and then posts `transferred`.
    if (gone)
      ::shutdown(key_.fd, SHUT_RDWR);
    if (gone || signals & half_closed)
      transfer_->client_gone().cancel();
  } else if (gone || (stage_ == stage::live && signals & half_closed)) {
    close();
  } else if (stage_ == stage::handling && signals & half_closed) {
    set_deadline(in(state_->settings.half_closed_timeout));
  }
  bool idle = stage_ == stage::draining || stage_ == stage::greeting ||
              (stage_ == stage::reading && reader_.empty() && !may_read_);
  if (idle && signals & stop_idle)
    close();
}

void connection::proceed(thread on) {
  constexpr int turns = 256;
  for (int i = 0; i < turns; ++i)
    if (!step(on))
      return;
  hand_to_worker(); // a client that sends requests without end waits its turn like the others
}

bool connection::step(thread on) {
  switch (stage_) {
  case stage::greeting: return greet(on);
  case stage::reading: return read_request(on);
  case stage::writing: return flush();
  case stage::live: return feed(on);
  case stage::draining: return drain();
  case stage::handling:
  case stage::downloading:
  case stage::closed: break;
  }
  return false;
}

/// If the process was stopped, the client may have done its part meanwhile: what is there is read before `late_` counts.
void connection::on_deadline() {
  set_deadline(never);
  late_ = stage_ == stage::reading || stage_ == stage::greeting;
  may_read_ |= late_;
  if (stage_ == stage::draining)
    close();
  else if (stage_ == stage::downloading)
    watch_download();
  else if (waits_)
    judge_pace();
  else if (stage_ == stage::live)
    on_live_deadline();
  else if (stage_ == stage::handling && !http_1_0_)
    send_go_on();
}

void connection::judge_pace() {
  if (!may_live())
    return close_hard();
  if (!pace_.too_slow(now(), taken()))
    return set_live_deadline(pace_.look_at());
  ++state_->dropped;
  close_hard();
}

/// To a client that sends no more, and may have left: one that has is noticed by the reset that comes back. Every client
/// passes over this answer (RFC 9110, section 15.2), whether or not it waits for it.
void connection::send_go_on() {
  constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
  socket_.write_interim(go_on);
}

void connection::set_deadline(tick when) {
  if (when == never)
    return deadline_.store(never, std::memory_order_relaxed); // a thread that sees it late posts `expired` in vain
  // In one order with the alarm, for all threads: whoever takes the alarm for due sees this deadline.
  deadline_.store(when);
  state_->pollers.first().alarm_at_latest(when);
}

/// The event that the socket has room, as it nearly always has, brings the worker.
void connection::hand_to_worker() {
  watches_room_ = true;
  events_.watch_room(key_);
}

/// From the first time on that something waits for room. A download waits for it by itself.
void connection::watch_for_room() {
  if (!watches_room_ && stage_ != stage::closed && (waits_ || tls_wants_room()))
    hand_to_worker();
}

/// With TLS a read may wait for room to write. During a download the socket belongs to another thread.
bool connection::tls_wants_room() const {
  return tls_ && stage_ != stage::downloading && socket_.awaited() == POLLOUT;
}

void connection::close() {
  if (stage_ != stage::closed)
    socket_.say_goodbye();
  release();
}

void connection::close_hard() {
  // With a reset: a client must not take what it got for the whole answer.
  linger reset{1, 0};
  ::setsockopt(key_.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  release();
}

void connection::release() {
  if (stage_ == stage::closed)
    return;
  if (stage_ == stage::greeting)
    state_->handshakes.end(key_);
  stage_ = stage::closed;
  end_live();
  nothing_waits();
  set_deadline(never);
  // In this order: once the descriptor is closed, the next client may come under its number.
  state_->connections.erase(key_);
  ::close(key_.fd);
}

} // namespace mistify::http
