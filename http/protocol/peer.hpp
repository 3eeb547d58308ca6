#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace mistify::http {

/// A process on this machine, as the kernel names it when it connects to a unix socket.
struct unix_peer {
  uid_t uid = 0;
  gid_t gid = 0;
  pid_t pid = 0;
  std::vector<gid_t> groups; ///< with `gid`
};

struct certificate_chain;

/// The contents of a verified client certificate. `policy` decides whether it is pinned or signed by the CA.
struct cert_peer {
  std::vector<std::string> sans;                       ///< URI and DNS names
  std::string common_name;                             ///< "" where there are alternative names of any type
  std::string sha256;                                  ///< of the DER form, lower-case hex
  bool by_ca = false;                                  ///< its chain leads to the CA of the config
  std::int64_t ends_at = 0;                            ///< seconds since the epoch: when it expires
  std::shared_ptr<const certificate_chain> chain = {}; ///< what a new CA or CRL judges; null: nothing does
};

/// The other end of a connection. Made once, at accept or at the end of the handshake; immutable from then on.
struct peer_identity {
  std::string address; ///< without the port; "local" for a unix socket
  std::optional<unix_peer> process;
  std::optional<cert_peer> certificate;
};
using peer_ptr = std::shared_ptr<const peer_identity>;

/// What shares of a client count by: the user of a process, else the network that one client may have the addresses of:
/// the whole loopback network, a /64 of IPv6, one address of IPv4.
std::string share_key(const peer_identity& peer);

/// Asks the kernel who is at the other end of a unix socket. Null for other sockets, or if it does not say.
std::optional<unix_peer> unix_peer_of(int socket);

} // namespace mistify::http
