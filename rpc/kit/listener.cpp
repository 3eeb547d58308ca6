#include "rpc/kit/listener.hpp"

#include "rpc/net/unix_socket.hpp"

#include <fcntl.h>
#include <netinet/in.h>

namespace mistify::rpc {

namespace {

constexpr mode_t socket_mode = 0660;

} // namespace

unique_fd open_listener(const listen_at& where) {
  if (!where.inherited) {
    if (where.socket.empty())
      return tcp_listen(where.port);
    make_socket_folder(where.socket, where.group);
    return unix_listen(where.socket, socket_mode, where.group);
  }
  const int fd = *where.inherited;
  ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
  return unique_fd{fd};
}

std::uint32_t peer_of(const sockaddr_storage& from, int fd) {
  if (from.ss_family == AF_INET)
    return reinterpret_cast<const sockaddr_in&>(from).sin_addr.s_addr;
  return peer_user(fd).value_or(0);
}

} // namespace mistify::rpc
