#pragma once

#include "http/protocol/peer.hpp"
#include "http/server/server_state.hpp"

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace mistify::http {

/// The listening sockets: makes connections of what comes in, up to the bound. Every member is thread-safe.
class acceptor {
public:
  /// Clients over the bound that may linger until they have read that they are; the rest is told so and
  /// closed at once.
  static constexpr std::size_t max_turned_away = 256;

  explicit acceptor(std::shared_ptr<core> shared) : core_{std::move(shared)} {}
  ~acceptor() { close(); }

  /// See `server::listen`.
  std::uint16_t open(const std::string& address);
  /// See `server::adopt`.
  void adopt(int fd);

  /// Takes in what waits at the socket. Nothing when it is none of the listening ones (any more).
  void accept_from(int fd);
  /// Tries the sockets again that could not be accepted from for lack of descriptors or memory.
  void retry();
  void close();

private:
  struct door {
    int fd = -1;
    std::string path = {}; ///< of a unix socket that this process made
    bool failing = false;
  };
  void watch(int fd, std::string path);
  void accept_all(door& d);
  void turn_away(int fd);
  void take_in(int fd, peer_ptr peer);

  const std::shared_ptr<core> core_;
  std::mutex mutex_; // accepting is done by one thread at a time, and never on a closed descriptor
  std::vector<door> doors_;
};

} // namespace mistify::http
