#include "http/server/listener.hpp"

#include "rpc/base/error.hpp"
#include "rpc/http1/grammar.hpp"
#include "rpc/net/unix_socket.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <memory>
#include <netdb.h>
#include <netinet/in.h>
#include <optional>
#include <sys/socket.h>
#include <sys/un.h>
#include <system_error>
#include <unistd.h>

namespace mistify::http {

namespace {

constexpr int backlog = 1024;

[[noreturn]] void refuse(const std::string& address, const std::string& why) {
  throw rpc::failure{rpc::errc::config_invalid, "cannot listen on \"" + address + "\": " + why};
}

bool is_number(const std::string& s) {
  return !s.empty() && std::all_of(s.begin(), s.end(), rpc::text::is_digit);
}

using address_list = std::unique_ptr<addrinfo, decltype(&freeaddrinfo)>;

address_list resolve(const std::string& address, const listen_address& at) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  int error = getaddrinfo(at.host.empty() ? nullptr : at.host.c_str(), at.port.c_str(), &hints, &found);
  if (error != 0)
    refuse(address, error == EAI_SYSTEM ? std::strerror(errno) : gai_strerror(error));
  return {found, &freeaddrinfo};
}

/// -1 with errno set when it does not work.
int try_listen(const addrinfo& a) {
  int fd = ::socket(a.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return -1;
  int on = 1, off = 0;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (a.ai_family == AF_INET6)
    ::setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  if (::bind(fd, a.ai_addr, a.ai_addrlen) == 0 && ::listen(fd, backlog) == 0)
    return fd;
  int error = errno;
  ::close(fd);
  errno = error;
  return -1;
}

std::uint16_t port_in(const sockaddr& a) noexcept {
  if (a.sa_family == AF_INET6)
    return ntohs(reinterpret_cast<const sockaddr_in6&>(a).sin6_port);
  return a.sa_family == AF_INET ? ntohs(reinterpret_cast<const sockaddr_in&>(a).sin_port) : std::uint16_t{0};
}

std::uint16_t port_of(int fd) {
  sockaddr_storage a{};
  socklen_t size = sizeof a;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&a), &size);
  return port_in(reinterpret_cast<const sockaddr&>(a));
}

bool is_loopback(const sockaddr& address) noexcept {
  constexpr unsigned loopback_net = 127;
  if (address.sa_family == AF_INET)
    return ntohl(reinterpret_cast<const sockaddr_in&>(address).sin_addr.s_addr) >> 24U == loopback_net;
  if (address.sa_family != AF_INET6)
    return false;
  const auto& six = reinterpret_cast<const sockaddr_in6&>(address).sin6_addr;
  return IN6_IS_ADDR_LOOPBACK(&six) || (IN6_IS_ADDR_V4MAPPED(&six) && six.s6_addr[12] == loopback_net);
}

/// Another address of the list may do: this machine does not have that family.
bool is_lack_of_family(int error) {
  return error == EAFNOSUPPORT || error == EADDRNOTAVAIL;
}

} // namespace

listen_address parse_listen_address(const std::string& given) {
  constexpr std::string_view plain = "tcp:";
  const auto address = given.starts_with(plain) ? given.substr(plain.size()) : given;
  listen_address at{address, "8080"};
  auto colon = address.rfind(':');
  if (address.starts_with('[')) {
    auto end = address.find(']');
    if (end == address.npos || (end + 1 < address.size() && address[end + 1] != ':'))
      refuse(address, "it is not [ADDRESS]:PORT");
    at.host = address.substr(1, end - 1);
    if (end + 1 < address.size())
      at.port = address.substr(end + 2);
  } else if (colon != address.npos && address.find(':') == colon) {
    at.host = address.substr(0, colon);
    at.port = address.substr(colon + 1);
  } else if (is_number(address)) {
    at = {"", address};
  }
  if (!is_number(at.port) || at.port.size() > 5 || std::stoi(at.port) > 65535)
    refuse(address, "the port is not a number up to 65535");
  return at;
}

listening_socket open_listener(const std::string& address) {
  auto at = parse_listen_address(address);
  auto list = resolve(address, at);
  // Every interface: IPv6, which takes IPv4 in. A name such as localhost: IPv4, which everybody tries.
  int preferred = at.host.empty() ? AF_INET6 : AF_INET, error = EADDRNOTAVAIL;
  for (bool first : {true, false}) {
    for (const addrinfo* a = list.get(); a; a = a->ai_next) {
      if ((a->ai_family == preferred) != first)
        continue;
      if (int fd = try_listen(*a); fd >= 0)
        return {fd, port_of(fd)};
      error = errno;
      if (!is_lack_of_family(error))
        refuse(address, std::strerror(error));
    }
  }
  refuse(address, std::strerror(error));
}

std::string unix_path_of(const std::string& address) {
  constexpr std::string_view scheme = "unix:";
  return address.starts_with(scheme) ? address.substr(scheme.size()) : std::string{};
}

listening_socket open_unix_listener(const std::string& path, mode_t mode) try {
  return {rpc::unix_listen(path, mode, std::nullopt).release(), 0};
} catch (const rpc::failure& e) {
  throw rpc::failure{rpc::errc::config_invalid, e.message()};
}

std::string plain_address_of(const std::string& address) {
  constexpr std::string_view scheme = "tcp:";
  if (!address.starts_with(scheme))
    return {};
  auto plain = address.substr(scheme.size());
  if (!stays_on_loopback(plain))
    refuse(address, "without TLS it must be a loopback address, such as tcp:127.0.0.1:8080");
  return plain;
}

bool stays_on_loopback(const std::string& address) {
  if (!unix_path_of(address).empty() || !plain_address_of(address).empty())
    return true;
  const auto list = resolve(address, parse_listen_address(address));
  for (const addrinfo* a = list.get(); a; a = a->ai_next)
    if (!is_loopback(*a->ai_addr))
      return false;
  return true;
}

bool stays_on_loopback(int fd) noexcept {
  sockaddr_storage a{};
  socklen_t size = sizeof a;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&a), &size) != 0)
    return false;
  return a.ss_family == AF_UNIX || is_loopback(reinterpret_cast<const sockaddr&>(a));
}

namespace {

/// IPv6's "every interface" serves IPv4 too.
bool serves(const sockaddr& bound, const std::string& ip) noexcept {
  if (bound.sa_family == AF_INET6) {
    const auto& all = reinterpret_cast<const sockaddr_in6&>(bound).sin6_addr;
    return std::memcmp(&all, &in6addr_any, sizeof all) == 0;
  }
  in_addr wanted{};
  if (bound.sa_family != AF_INET || ::inet_pton(AF_INET, ip.c_str(), &wanted) != 1)
    return false;
  const auto address = reinterpret_cast<const sockaddr_in&>(bound).sin_addr.s_addr;
  return address == wanted.s_addr || address == htonl(INADDR_ANY);
}

} // namespace

bool serves_ipv4(const std::string& address, const std::string& ip) {
  if (!unix_path_of(address).empty())
    return false;
  const auto plain = plain_address_of(address);
  const auto& where = plain.empty() ? address : plain;
  const auto list = resolve(where, parse_listen_address(where));
  for (const addrinfo* a = list.get(); a; a = a->ai_next)
    if (serves(*a->ai_addr, ip))
      return true;
  return false;
}

bool serves_ipv4(int fd, const std::string& ip) noexcept {
  sockaddr_storage a{};
  socklen_t size = sizeof a;
  return ::getsockname(fd, reinterpret_cast<sockaddr*>(&a), &size) == 0 &&
         serves(reinterpret_cast<const sockaddr&>(a), ip);
}

namespace {

/// True if a socket that is bound to `bound` gets what is sent to `wanted`.
bool takes_in(const sockaddr& bound, bool six_only, const sockaddr& wanted) noexcept {
  if (port_in(bound) != port_in(wanted))
    return false;
  if (bound.sa_family == AF_INET6) {
    const auto& six = reinterpret_cast<const sockaddr_in6&>(bound).sin6_addr;
    if (IN6_IS_ADDR_UNSPECIFIED(&six))
      return wanted.sa_family == AF_INET6 || !six_only;
    return wanted.sa_family == AF_INET6 &&
           IN6_ARE_ADDR_EQUAL(&six, &reinterpret_cast<const sockaddr_in6&>(wanted).sin6_addr);
  }
  const auto four = reinterpret_cast<const sockaddr_in&>(bound).sin_addr.s_addr;
  return bound.sa_family == AF_INET && wanted.sa_family == AF_INET &&
         (four == htonl(INADDR_ANY) || four == reinterpret_cast<const sockaddr_in&>(wanted).sin_addr.s_addr);
}

bool is_same_file(const sockaddr_un& bound, const std::string& path) {
  const std::string at{bound.sun_path, ::strnlen(bound.sun_path, sizeof bound.sun_path)};
  std::error_code error;
  return at == path || std::filesystem::equivalent(at, path, error); // /var/run is /run
}

} // namespace

bool is_bound_to(int fd, const std::string& address) {
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &size) != 0)
    return false;
  if (const auto path = unix_path_of(address); !path.empty() || bound.ss_family == AF_UNIX)
    return !path.empty() && bound.ss_family == AF_UNIX &&
           is_same_file(reinterpret_cast<const sockaddr_un&>(bound), path);
  int six_only = 0;
  size = sizeof six_only;
  ::getsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &six_only, &size);
  const auto plain = plain_address_of(address);
  const auto& where = plain.empty() ? address : plain;
  const auto list = resolve(where, parse_listen_address(where));
  for (const addrinfo* a = list.get(); a; a = a->ai_next)
    if (takes_in(reinterpret_cast<const sockaddr&>(bound), six_only != 0, *a->ai_addr))
      return true;
  return false;
}

bool is_unix_socket(int fd) noexcept {
  int family = AF_UNSPEC;
  socklen_t size = sizeof family;
  return ::getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &size) == 0 && family == AF_UNIX;
}

listening_socket adopt_listener(int fd) {
  int listens = 0;
  socklen_t size = sizeof listens;
  if (::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) != 0 || !listens)
    refuse("descriptor " + std::to_string(fd), "it is no listening socket");
  ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
  return {fd, port_of(fd)};
}

} // namespace mistify::http
