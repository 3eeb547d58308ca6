#pragma once

#include "rpc/base/unique_fd.hpp"
#include "rpc/kit/server.hpp"

#include <cstdint>
#include <sys/socket.h>

namespace mistify::rpc {

/// Opens the socket that a server listens at, or takes the service manager's. Throws `failure{unavailable}` where it is
/// taken.
unique_fd open_listener(const listen_at& where);

/// What shares of connections are counted by: the address, or the user at a unix socket.
std::uint32_t peer_of(const sockaddr_storage& from, int fd);

} // namespace mistify::rpc
