#include "http/protocol/peer.hpp"

#include "rpc/net/unix_socket.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <cstdint>
#include <iterator>
#include <netinet/in.h>
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
  constexpr std::size_t network = 8; // bytes
  if (peer.process)
    return "uid " + std::to_string(peer.process->uid);
  in6_addr six{};
  if (peer.address.starts_with("127.") || peer.address == "::1")
    return "loopback";
  if (::inet_pton(AF_INET6, peer.address.c_str(), &six) != 1)
    return peer.address;
  std::fill(std::begin(six.s6_addr) + network, std::end(six.s6_addr), std::uint8_t{0});
  std::array<char, INET6_ADDRSTRLEN> text{};
  return ::inet_ntop(AF_INET6, &six, text.data(), text.size()) ? std::string{text.data()} + "/64" : peer.address;
}

std::optional<unix_peer> unix_peer_of(int socket) {
  const auto who = rpc::peer_credentials(socket);
  auto groups = who ? groups_of(socket) : std::nullopt;
  if (!groups)
    return std::nullopt;
  if (std::ranges::find(*groups, who->gid) == groups->end())
    groups->push_back(who->gid);
  return unix_peer{who->uid, who->gid, who->pid, *std::move(groups)};
}

} // namespace mistify::http
