#include "http/protocol/response_writer.hpp"
#include "http/server/connection.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

// Answers without end. They are fed by workers whenever the socket has room, and cost no thread in between.
namespace mistify::http {

namespace {

/// What the kernel holds for a reader: one that does not keep up shows soon.
constexpr int send_buffer = 128 * 1024;

std::string chunk_head(std::size_t size) {
  std::array<char, 20> text{};
  const auto digits = std::snprintf(text.data(), text.size(), "%zx\r\n", size);
  return {text.data(), static_cast<std::size_t>(digits)};
}

} // namespace

void connection::start_live() {
  auto a = std::exchange(answer_, {});
  auto& body = std::get<growing>(a.body);
  if (auto share = head_only_ ? std::nullopt
                              : state_->live_shares.take(body.share.empty() ? state_->share_of(*peer_) : body.share)) {
    live_share_.emplace(*std::move(share));
  } else if (!head_only_) {
    ++state_->refused;
    return send(state_->answer_to(429, "too many readers of events of one client: " +
                                         std::to_string(state_->live_shares.share())));
  }
  if (!head_only_ && ++state_->live > state_->settings.max_live) {
    --state_->live;
    live_share_.reset();
    ++state_->refused;
    return send(state_->answer_to(503, "too many readers of events at a time"));
  }
  keep_alive_ = keep_alive_ && head_only_;
  append_live_head(out_.begin(), a);
  stage_ = stage::writing;
  if (head_only_)
    return;
  stage_ = stage::live;
  live_ = std::move(body.source);
  live_while_ = std::move(body.live_while);
  // A client that does not acknowledge what it is sent is gone, whatever it forgot to say.
  const auto patience = static_cast<unsigned>(state_->settings.write_timeout.count());
  ::setsockopt(key_.fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &patience, sizeof patience);
  ::setsockopt(key_.fd, SOL_SOCKET, SO_SNDBUF, &send_buffer, sizeof send_buffer);
  live_->on_more([weak = weak_from_this()] {
    if (const auto self = weak.lock())
      self->post(fed, thread::other);
  });
}

void connection::append_live_head(std::string& out, const answer& a) const {
  head_options options;
  options.date = date_now();
  options.content_length = -1;
  options.chunked = !http_1_0_;
  options.http_1_0 = http_1_0_;
  options.keep_alive = keep_alive_;
  options.request_id = request_id_;
  append_head(out, a, options);
}

/// Sends what there is. Where the client does not keep up, nothing more is asked for: its bound is one piece.
bool connection::feed(thread on) {
  if (on == thread::other) {
    hand_to_worker();
    return false;
  }
  bool moved = false;
  const bool waiting = !out_.empty();
  switch (out_.flush(socket_, moved)) {
  case write_buffer::result::failed: close(); return false;
  case write_buffer::result::blocked: bytes_wait(); return false;
  case write_buffer::result::sent: nothing_waits(); break;
  }
  if (waiting) {
    heartbeat_at_ = in(state_->settings.heartbeat);
    set_live_deadline(heartbeat_at_);
  }
  if (!live_) {
    end_exchange();
    return true;
  }
  return send_more();
}

bool connection::send_more() {
  if (auto bytes = live_->next(); !bytes.empty()) {
    put_piece(std::move(bytes));
    return true;
  }
  if (!state_->stopping)
    return false;
  finish_live();
  return true;
}

void connection::put_piece(std::string bytes) {
  auto& head = out_.begin();
  if (!http_1_0_) {
    head = chunk_head(bytes.size());
    bytes += "\r\n";
  }
  out_.put(std::move(bytes));
}

void connection::end_live() {
  if (std::exchange(live_, nullptr))
    --state_->live;
  live_while_ = nullptr;
  live_share_.reset();
}

/// Ends the body regularly, so that the client can distinguish it from a broken connection.
void connection::finish_live() {
  end_live();
  out_.begin() = http_1_0_ ? "" : "0\r\n\r\n";
}

/// Nothing waits for the client.
void connection::on_live_deadline() {
  if (!live_)
    return;
  if (!may_live())
    return finish_live();
  if (heartbeat_at_ <= now())
    put_piece(live_->idle());
  else
    set_live_deadline(heartbeat_at_);
}

bool connection::may_live() const {
  return !live_ || !live_while_ || live_while_();
}

void connection::set_live_deadline(tick latest) {
  set_deadline(live_while_ ? std::min(latest, in(judged_every)) : latest);
}

} // namespace mistify::http
