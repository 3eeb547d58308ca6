#pragma once

#include "rpc/net/tcp.hpp"

#include <optional>
#include <string>
#include <sys/socket.h>
#include <sys/types.h>

namespace mistify::rpc {

/// Connects to a unix socket; non-blocking like `tcp_connect`.
connect_result unix_connect(const std::string& path, deadline until, const cancellation& cancel);

/// Listens on a non-blocking unix socket, exclusively. A socket that a dead process left under the path is replaced;
/// anything else there, or a socket that is listened on, is an error. `mode` is the socket's, such as 0660, and `group` its
/// group; null: the process's. Throws `failure{unavailable}` that names the path, and the group where the process may not
/// give files to it; no socket stays behind then.
unique_fd unix_listen(const std::string& path, mode_t mode, std::optional<gid_t> group);

/// Makes the folder of a socket with mode 0750 and that group. An existing one is left as it is. Throws as above.
void make_socket_folder(const std::string& path, std::optional<gid_t> group);

/// The process at the other end of a unix socket, as the kernel names it: which connected, or called listen(). Null for
/// other sockets.
std::optional<ucred> peer_credentials(int fd) noexcept;
/// The user of it.
std::optional<uid_t> peer_user(int fd) noexcept;

} // namespace mistify::rpc
