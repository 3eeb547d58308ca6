#include "sockets.hpp"

#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <system_error>
#include <thread>
#include <unistd.h>

namespace mistify::test {

namespace {

using namespace std::chrono_literals;

descriptor tcp_socket() {
  descriptor made{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  if (made.get() < 0)
    throw std::system_error{errno, std::generic_category(), "socket"};
  return made;
}

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

// The sockets API wants the general type of address.
const sockaddr* general(const sockaddr_in& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

} // namespace

bool eventually(const std::function<bool()>& done, std::chrono::milliseconds limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!done()) {
    if (std::chrono::steady_clock::now() > end)
      return false;
    std::this_thread::sleep_for(5ms);
  }
  return true;
}

descriptor& descriptor::operator=(descriptor&& other) noexcept {
  if (this != &other) {
    close();
    fd_ = other.fd_.exchange(-1);
  }
  return *this;
}

void descriptor::close() noexcept {
  if (const int fd = fd_.exchange(-1); fd >= 0)
    ::close(fd);
}

descriptor listen_on_loopback(std::uint16_t& port) {
  auto listening = tcp_socket();
  const auto address = loopback(0);
  if (::bind(listening.get(), general(address), sizeof address) != 0 || ::listen(listening.get(), 256) != 0)
    throw std::system_error{errno, std::generic_category(), "listen"};
  sockaddr_in bound{};
  socklen_t size = sizeof bound;
  ::getsockname(listening.get(), reinterpret_cast<sockaddr*>(&bound), &size);
  port = ntohs(bound.sin_port);
  return listening;
}

std::uint16_t free_port() {
  std::uint16_t port = 0;
  listen_on_loopback(port);
  return port;
}

bool send_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR)
      continue;
    if (sent <= 0)
      return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool receive_some(int fd, std::string& into, std::chrono::milliseconds limit) {
  pollfd watched{fd, POLLIN, 0};
  if (::poll(&watched, 1, static_cast<int>(limit.count())) <= 0)
    return false;
  std::array<char, 65536> buffer;
  const auto got = ::recv(fd, buffer.data(), buffer.size(), 0);
  if (got <= 0)
    return false;
  into.append(buffer.data(), static_cast<std::size_t>(got));
  return true;
}

} // namespace mistify::test
