#pragma once

#include "http/protocol/peer.hpp"
#include "http/server/connection.hpp"
#include "http/server/server_state.hpp"

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <sys/types.h>
#include <vector>

namespace mistify::http {

/// The listening sockets. Accepts connections up to the bound. Every member is thread-safe.
class acceptor {
public:
  /// The maximum number of excess clients whose connections stay open until they have read the refusal; further ones
  /// get it and are closed at once.
  static constexpr std::size_t max_turned_away = 256;

  explicit acceptor(std::shared_ptr<server_state> shared) : state_{std::move(shared)} {}
  ~acceptor() { close(); }

  /// See `server::listen`.
  std::uint16_t open(const std::string& address);
  /// See `server::adopt`.
  void adopt(int fd, bool plain);
  /// See `server::set_socket_mode`.
  bool set_mode(mode_t mode);

  /// Accepts the connections waiting at the socket. Does nothing if `fd` is not a listening socket (any more).
  void accept_from(int fd);
  /// Retries sockets on which accepting failed for lack of descriptors or memory.
  void retry();
  void close();

private:
  struct door {
    int fd = -1;
    std::string path = {}; ///< of a unix socket that this process made
    ino_t inode = 0;       ///< of that file
    bool tls = false;
    bool failing = false;
  };
  void watch(int fd, bool tls, std::string path);
  void accept_all(door& d);
  void turn_away(int fd);
  void drop(int fd);
  void take_in(int fd, peer_ptr peer, bool tls);
  void begin(connection::origin from);

  const std::shared_ptr<server_state> state_;
  std::mutex mutex_; // one thread accepts at a time, and never on a closed descriptor
  std::vector<door> doors_;
};

} // namespace mistify::http
