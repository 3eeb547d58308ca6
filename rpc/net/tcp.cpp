#include "rpc/net/tcp.hpp"

#include "rpc/base/error.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <cerrno>
#include <cstring>
#include <limits>
#include <memory>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <system_error>

namespace mistify::rpc {

namespace {

using std::chrono::steady_clock;

/// poll's argument; rounded up, so that a wait does not end just before its deadline and spin.
int milliseconds_until(deadline until) noexcept {
  if (until == never)
    return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - steady_clock::now()).count();
  return static_cast<int>(std::clamp<decltype(left)>(left, 0, std::numeric_limits<int>::max()));
}

void set_option(int fd, int level, int name) noexcept {
  const int on = 1;
  ::setsockopt(fd, level, name, &on, sizeof on);
}

using address_list = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

address_list resolve(const std::string& host, std::uint16_t port) {
  addrinfo hints{}, *found = nullptr;
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  if (::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found) != 0)
    found = nullptr;
  return {found, &::freeaddrinfo};
}

int finish_connect(int fd, deadline until) noexcept {
  if (!wait_for(fd, POLLOUT, until))
    return ETIMEDOUT;
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
  return error;
}

connect_result connect_to(const addrinfo& address, deadline until, const cancellation& cancel) {
  unique_fd fd{::socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (!fd)
    return {{}, errno};
  set_option(fd.get(), IPPROTO_TCP, TCP_NODELAY);
  // Shutting a socket down ends its connecting as well, and one that is not connecting yet cannot send any more.
  const auto guard = cancel.on_cancel([raw = fd.get()] { ::shutdown(raw, SHUT_RDWR); });
  int error = 0;
  if (::connect(fd.get(), address.ai_addr, address.ai_addrlen) != 0)
    error = errno == EINPROGRESS ? finish_connect(fd.get(), until) : errno;
  if (cancel.cancelled())
    error = ECANCELED;
  if (error == 0 && is_connected_to_itself(fd.get())) {
    // Without this the port would stay taken for a minute (TIME_WAIT).
    const linger reset{1, 0};
    ::setsockopt(fd.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    error = ECONNREFUSED;
  }
  if (error != 0)
    return {{}, error};
  return {std::move(fd), 0};
}

} // namespace

deadline deadline_after(std::chrono::milliseconds after) noexcept {
  const auto now = steady_clock::now();
  if (after.count() <= 0 || after >= std::chrono::duration_cast<std::chrono::milliseconds>(never - now))
    return never;
  return now + after;
}

bool is_connected_to_itself(int fd) noexcept {
  sockaddr_storage own{}, other{};
  socklen_t own_size = sizeof own, other_size = sizeof other;
  return ::getsockname(fd, reinterpret_cast<sockaddr*>(&own), &own_size) == 0 &&
         ::getpeername(fd, reinterpret_cast<sockaddr*>(&other), &other_size) == 0 && own_size == other_size &&
         std::memcmp(&own, &other, own_size) == 0;
}

bool wait_for(int fd, short events, deadline until) noexcept {
  for (;;) {
    pollfd p{fd, events, 0};
    const int ready = ::poll(&p, 1, milliseconds_until(until));
    if (ready > 0)
      return true;
    if (ready == 0 && steady_clock::now() >= until)
      return false;
    if (ready < 0 && errno != EINTR)
      return true; // the read or write that follows tells what is wrong
  }
}

connect_result tcp_connect(const std::string& host, std::uint16_t port, deadline until, const cancellation& cancel) {
  const auto addresses = resolve(host, port);
  connect_result last{{}, EHOSTUNREACH};
  for (const auto* a = addresses.get(); a; a = a->ai_next) {
    last = connect_to(*a, until, cancel);
    if (last.fd || last.error == ETIMEDOUT || last.error == ECANCELED)
      break;
  }
  return last;
}

unique_fd tcp_listen(std::uint16_t port) {
  const auto check = [port](bool fine) {
    if (!fine)
      throw failure{errc::unavailable, "cannot listen on 127.0.0.1:" + std::to_string(port) + ": " +
                                         std::generic_category().message(errno)};
  };
  unique_fd fd{::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  check(static_cast<bool>(fd));
  set_option(fd.get(), SOL_SOCKET, SO_REUSEADDR); // for a quick restart; unlike SO_REUSEPORT it lets no second one in
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  check(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  check(::listen(fd.get(), 1024) == 0);
  return fd;
}

std::uint16_t port_of(const unique_fd& socket) noexcept {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0)
    return 0;
  if (address.ss_family == AF_INET6)
    return ntohs(reinterpret_cast<const sockaddr_in6&>(address).sin6_port);
  return ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
}

} // namespace mistify::rpc
