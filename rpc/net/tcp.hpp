#pragma once

#include "rpc/base/cancellation.hpp"
#include "rpc/base/unique_fd.hpp"

#include <chrono>
#include <cstdint>
#include <string>

namespace mistify::rpc {

/// When a blocking operation has to be over; `never` has no end.
using deadline = std::chrono::steady_clock::time_point;
inline constexpr deadline never = deadline::max();

/// `after` from now; zero and less mean never.
deadline deadline_after(std::chrono::milliseconds after) noexcept;

/// Waits until `fd` shows one of `events` (as for poll), a hang-up or an error; false when the time is over.
bool wait_for(int fd, short events, deadline until) noexcept;

/// A connection, or the errno that says why there is none: ETIMEDOUT after `until`, ECANCELED after `cancel`, ECONNREFUSED
/// also for a socket that was connected to itself.
struct connect_result {
  unique_fd fd;
  int error = 0;
};

/// Connects without Nagle's delay; the socket is non-blocking. `host` is a numeric address or a name of the system's.
connect_result tcp_connect(const std::string& host, std::uint16_t port, deadline until, const cancellation& cancel);

/// True if the socket is its own other end. TCP connects a socket to itself where the kernel picks as its local port the
/// very port that it connects to, and nobody listens there: services with ports of the range that local ports are picked
/// from. Nobody answers on such a connection.
bool is_connected_to_itself(int fd) noexcept;

/// Listens on 127.0.0.1, exclusively: a second listener on the port fails. Port 0 takes a free one. Throws
/// `failure{unavailable}` that names the port.
unique_fd tcp_listen(std::uint16_t port);

/// The local port of a socket.
std::uint16_t port_of(const unique_fd& socket) noexcept;

} // namespace mistify::rpc
