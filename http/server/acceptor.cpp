#include "http/server/acceptor.hpp"

#include "http/protocol/response_writer.hpp"
#include "http/server/connection.hpp"
#include "http/server/listener.hpp"
#include "rpc/base/error.hpp"

#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <cstring>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace mistify::http {

namespace {

constexpr std::chrono::milliseconds retry_pause{100};

/// The address without the port; an IPv4 one in its own form even where it came through an IPv6 socket.
std::string peer_name(const sockaddr_storage& a) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const void* bytes = nullptr;
  int family = a.ss_family;
  if (family == AF_INET) {
    bytes = &reinterpret_cast<const sockaddr_in&>(a).sin_addr;
  } else if (family == AF_INET6) {
    const auto& six = reinterpret_cast<const sockaddr_in6&>(a).sin6_addr;
    bool mapped = IN6_IS_ADDR_V4MAPPED(&six);
    family = mapped ? AF_INET : AF_INET6;
    bytes = six.s6_addr + (mapped ? 12 : 0);
  }
  return bytes && ::inet_ntop(family, bytes, text.data(), text.size()) ? text.data() : "local";
}

ino_t inode_of(const std::string& path) {
  struct stat status {};
  return !path.empty() && ::lstat(path.c_str(), &status) == 0 ? status.st_ino : 0;
}

peer_ptr peer_of(int fd, const sockaddr_storage& from) {
  auto peer = std::make_shared<peer_identity>();
  peer->address = peer_name(from);
  if (from.ss_family == AF_UNIX)
    peer->process = unix_peer_of(fd);
  return peer;
}

} // namespace

std::uint16_t acceptor::open(const std::string& address) {
  const auto path = unix_path_of(address);
  if (!path.empty()) {
    watch(open_unix_listener(path, state_->settings.socket_mode).fd, false, path);
    return 0;
  }
  const auto plain = plain_address_of(address);
  const auto socket = open_listener(plain.empty() ? address : plain);
  watch(socket.fd, plain.empty() && state_->tls(), {});
  return socket.port;
}

void acceptor::adopt(int fd, bool plain) {
  watch(adopt_listener(fd).fd, !plain && state_->tls() && !is_unix_socket(fd), {});
}

bool acceptor::set_mode(mode_t mode) {
  std::lock_guard lock{mutex_};
  bool all = true;
  for (const auto& d : doors_)
    if (!d.path.empty() && inode_of(d.path) == d.inode)
      all = ::chmod(d.path.c_str(), mode) == 0 && all;
  return all;
}

void acceptor::watch(int fd, bool tls, std::string path) {
  std::lock_guard lock{mutex_};
  if (state_->stopping || !state_->pollers.first().add({fd, watch_key::own})) {
    ::close(fd);
    throw rpc::failure{rpc::errc::unavailable, "the server is stopping, or cannot watch one more socket"};
  }
  const auto inode = inode_of(path);
  doors_.push_back({fd, std::move(path), inode, tls});
}

void acceptor::accept_from(int fd) {
  std::lock_guard lock{mutex_};
  for (auto& d : doors_)
    if (d.fd == fd)
      accept_all(d);
}

void acceptor::retry() {
  std::lock_guard lock{mutex_};
  for (auto& d : doors_)
    if (d.failing)
      accept_all(d);
}

void acceptor::close() {
  std::lock_guard lock{mutex_};
  for (const auto& d : doors_) {
    state_->pollers.first().remove(d.fd);
    ::close(d.fd);
    if (!d.path.empty() && inode_of(d.path) == d.inode) // else another agent listens there now
      ::unlink(d.path.c_str());
  }
  doors_.clear();
}

void acceptor::accept_all(door& d) {
  d.failing = false;
  for (;;) {
    sockaddr_storage from{};
    socklen_t size = sizeof from;
    int fd = ::accept4(d.fd, reinterpret_cast<sockaddr*>(&from), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      take_in(fd, peer_of(fd, from), d.tls);
    } else if (errno == EAGAIN) {
      return;
    } else if (errno != ECONNABORTED && errno != EPROTO && errno != EINTR) {
      // No descriptors or memory: clients wait in the backlog, and trying again at once would only burn time.
      d.failing = true;
      state_->pollers.first().alarm_at_latest(in(retry_pause));
      return;
    } // else that one client failed
  }
}

/// Says 503 and closes at once. What the client has sent is read, so that the answer is not lost to a reset; what it
/// sends after that may cost it the answer.
void acceptor::turn_away(int fd) {
  ++state_->refused;
  std::array<char, 16 * 1024> unread;
  ::recv(fd, unread.data(), unread.size(), MSG_DONTWAIT);
  auto refusal = state_->answer_to(503, "too many connections");
  head_options options;
  options.content_length = static_cast<std::int64_t>(refusal.text().size());
  options.keep_alive = false;
  const auto text = write_head(refusal, options).append(refusal.text());
  ::send(fd, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  ::close(fd);
}

/// With TLS, clients over a bound are closed without a word: an answer would cost a handshake.
void acceptor::take_in(int fd, peer_ptr peer, bool tls) {
  const auto standing = state_->standing_of(*peer);
  auto share = state_->connection_shares.take(standing.key.empty() ? share_key(*peer) : standing.key);
  if (!share)
    return drop(fd);
  const auto bound = state_->settings.max_connections - (standing.has_reserve ? 0 : state_->settings.reserved);
  const auto open = state_->connections.size();
  int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (open >= bound + (tls ? 0 : max_turned_away))
    return tls ? drop(fd) : turn_away(fd);
  auto start = tls ? tls_start::on(fd, state_->tls()) : tls_start{};
  if (tls && !start.session)
    return drop(fd);
  begin({state_->connections.next_key(fd), std::move(peer), *std::move(share), open >= bound, std::move(start)});
}

void acceptor::drop(int fd) {
  ++state_->refused;
  ::close(fd);
}

void acceptor::begin(connection::origin from) {
  const auto key = from.key;
  const bool greets = from.tls.session != nullptr;
  const auto address = from.peer->address;
  auto& events = state_->pollers.next();
  const auto c = std::make_shared<connection>(state_, events, std::move(from));
  state_->connections.put(key, c);
  if (const auto oldest = greets ? state_->handshakes.begin(key, address) : std::nullopt)
    if (const auto gone = state_->connections.find(*oldest))
      gone->post(connection::crowded, connection::thread::other);
  // Not as a worker: it would have to read, with the lock held, what comes meanwhile.
  c->post(events.add(key) ? connection::begun : connection::stop_now, connection::thread::other);
}

} // namespace mistify::http
