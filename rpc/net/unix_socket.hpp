#pragma once

#include "rpc/net/tcp.hpp"

#include <optional>
#include <string>
#include <sys/types.h>

namespace mistify::rpc {

/// Connects to a unix socket; non-blocking like `tcp_connect`.
connect_result unix_connect(const std::string& path, deadline until, const cancellation& cancel);

/// Listens on a unix socket of mode 0660, exclusively. A socket that a dead process left under the path is replaced. A
/// missing folder is made with mode 0750; an existing one is left as it is. `group` becomes the group of the socket and of
/// a folder that is made. Throws `failure{unavailable}` that names the path.
unique_fd unix_listen(const std::string& path, std::optional<gid_t> group);

/// The user at the other end of a unix socket: who connected, or who called listen(). Null for other sockets.
std::optional<uid_t> peer_user(int fd) noexcept;

} // namespace mistify::rpc
