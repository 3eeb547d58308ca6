#include "http/protocol/peer.hpp"

#include <algorithm>
#include <cerrno>
#include <sys/socket.h>

namespace mistify::http {

namespace {

/// SO_PEERGROUPS: the supplementary groups at the time of connect.
std::optional<std::vector<gid_t>> groups_of(int socket) {
  std::vector<gid_t> groups(32);
  for (;;) {
    auto size = static_cast<socklen_t>(groups.size() * sizeof(gid_t));
    if (::getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &size) == 0) {
      groups.resize(size / sizeof(gid_t));
      return groups;
    }
    if (errno != ERANGE || size <= groups.size() * sizeof(gid_t))
      return std::nullopt;
    groups.resize(size / sizeof(gid_t));
  }
}

} // namespace

std::string share_key(const peer_identity& peer) {
  return peer.process ? "uid " + std::to_string(peer.process->uid) : peer.address;
}

std::optional<unix_peer> unix_peer_of(int socket) {
  int family = 0;
  socklen_t size = sizeof family;
  if (::getsockopt(socket, SOL_SOCKET, SO_DOMAIN, &family, &size) != 0 || family != AF_UNIX)
    return std::nullopt;
  ucred who{};
  size = sizeof who;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &who, &size) != 0)
    return std::nullopt;
  auto groups = groups_of(socket);
  if (!groups)
    return std::nullopt;
  if (std::ranges::find(*groups, who.gid) == groups->end())
    groups->push_back(who.gid);
  return unix_peer{who.uid, who.gid, who.pid, *std::move(groups)};
}

} // namespace mistify::http
