#pragma once

#include <cstdint>
#include <string>
#include <sys/types.h>

namespace mistify::http {

/// A listening socket and its port.
struct listening_socket {
  int fd = -1;
  std::uint16_t port = 0; ///< 0 for a unix socket
};

/// An address to listen on; an empty host means every interface.
struct listen_address {
  std::string host;
  std::string port;
};

/// Splits "host:port", ":port", "[::1]:port", a bare port, host or IPv6 address; the default port is 8080. Throws
/// `failure{config_invalid}`.
listen_address parse_listen_address(const std::string& address);

/// "unix:PATH" → PATH; empty for any other address.
std::string unix_path_of(const std::string& address);

/// "tcp:HOST:PORT", which never speaks TLS, → HOST:PORT; empty for any other address. Throws as `open_listener` if it does
/// not stay on loopback.
std::string plain_address_of(const std::string& address);

/// Opens a non-blocking unix socket. A socket that a dead process left under the path is replaced; anything else there,
/// or a socket that is listened on, is an error. `mode` is the socket's, such as 0660. Throws as `open_listener`.
listening_socket open_unix_listener(const std::string& path, mode_t mode);

/// Opens a non-blocking, close-on-exec socket with SO_REUSEADDR, but without SO_REUSEPORT, so that a second server on
/// the port fails. Every interface means IPv6 and IPv4 on one socket, or IPv4 if the kernel has no IPv6. Throws
/// `failure{config_invalid}` with the system's reason. The caller closes it.
listening_socket open_listener(const std::string& address);

/// True if `address`, as for `open_listener`, is reachable only from this machine: it resolves to loopback addresses
/// only. Throws `failure{config_invalid}` if it does not resolve.
bool stays_on_loopback(const std::string& address);

/// The same for a socket; true for unix sockets.
bool stays_on_loopback(int fd) noexcept;

/// True if clients reach an IPv4 address of this machine by it: it is bound to that one, or to every interface.
bool serves_ipv4(const std::string& address, const std::string& ip);
/// The same for a socket.
bool serves_ipv4(int fd, const std::string& ip) noexcept;

/// True if a socket is bound where `address` says, so that nobody else can listen there: at that path, or at that port of
/// this address or of every interface. Throws `failure{config_invalid}` if `address` does not resolve.
bool is_bound_to(int fd, const std::string& address);

bool is_unix_socket(int fd) noexcept;

/// Makes a socket that another process opened usable. Throws as above when it does not listen.
listening_socket adopt_listener(int fd);

} // namespace mistify::http
