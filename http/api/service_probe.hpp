#pragma once

#include "actors/config/config.hpp"
#include "http/api/actor_gateway.hpp"
#include "rpc/base/thread_pool.hpp"

#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

namespace mistify::http {

/// Whether the sub-agents take connections. Thread-safe.
class reachability {
public:
  struct service {
    std::string name;
    std::uint16_t port = 0;
    std::string socket; ///< in place of the port
    bool reachable = false;
    std::string error; ///< why it is not
  };

  explicit reachability(const actors::config& settings) : settings_{settings} {}

  /// Tries to connect to each, on a thread of its own, and closes the connection again. Who asks again within a second
  /// hears the same.
  pending<std::vector<service>> look();

  /// Waits for who is looking; whoever asks from now on is refused.
  void stop() { threads_.stop(); }

private:
  std::vector<service> try_all();

  const actors::config& settings_;
  std::mutex mutex_; // held while looking: whoever comes meanwhile hears what came of it
  std::vector<service> last_;
  std::chrono::steady_clock::time_point looked_{};
  rpc::thread_pool threads_{1, 1000}; // last: its work uses the others
};

} // namespace mistify::http
