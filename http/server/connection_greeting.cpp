#include "http/server/connection.hpp"

#include <string_view>
#include <sys/socket.h>
#include <utility>

// The TLS handshake, before the first request. It holds no thread, and has the deadline of a request.
namespace mistify::http {

bool connection::greet(thread on) {
  if (deadline() == never && !late_)
    set_deadline(in(state_->settings.request_timeout));
  if (on == thread::other && may_read_) {
    hand_to_worker();
    return false;
  }
  if (std::exchange(may_read_, false)) // else the client has not said anything yet
    switch (socket_.shake_hands()) {
    case client_socket::handshake::done: return welcome();
    case client_socket::handshake::failed: return end_greeting();
    case client_socket::handshake::waits: break;
    }
  if (late_)
    close();
  return false;
}

bool connection::welcome() {
  greets_ = false;
  state_->handshakes.end(key_);
  if (auto certificate = tls_->certificate_of(*socket_.session())) {
    auto known = *peer_;
    known.certificate = *std::move(certificate);
    peer_ = std::make_shared<const peer_identity>(std::move(known));
    if (!take_own_share())
      return false;
  }
  stage_ = stage::reading;
  late_ = false;
  may_read_ = true;
  return true;
}

/// A client with an identity counts by that from now on: many may come through one address. False if it has too many
/// connections; then this one is closed.
bool connection::take_own_share() {
  const auto standing = state_->standing_of(*peer_);
  if (standing.key.empty())
    return true;
  auto own = state_->connection_shares.take(standing.key);
  if (!own) {
    ++state_->refused;
    stage_ = stage::reading; // the handshake is over, and counted out
    close();
    return false;
  }
  share_.emplace(*std::move(own));
  return true;
}

/// What the client has sent is read, so that the alert is not lost to a reset.
bool connection::end_greeting() {
  constexpr std::string_view hint = "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 27\r\n"
                                    "Connection: close\r\n\r\nThis port speaks TLS only.\n";
  ++state_->refused;
  greets_ = false;
  state_->handshakes.end(key_);
  if (const auto why = socket_.certificate_fault(); !why.empty() && state_->settings.on_refusal)
    state_->settings.on_refusal({*peer_, "", "", 0, why});
  if (socket_.met_plain_http())
    ::send(key_.fd, hint.data(), hint.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  late_ = false;
  may_read_ = true;
  start_draining();
  return true;
}

} // namespace mistify::http
