#pragma once

#include "actors/config/current_config.hpp"
#include "http/api/actor_gateway.hpp"
#include "rpc/base/thread_pool.hpp"

#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

namespace mistify::http {

/// Checks whether the sub-agents accept connections. Thread-safe.
class service_probe {
public:
  struct service {
    std::string name;
    std::uint16_t port = 0;
    std::string socket; ///< in place of the port
    bool reachable = false;
    std::string error; ///< why not; empty if reachable
  };

  explicit service_probe(const actors::current_config& settings) : settings_{settings} {}

  /// Connects to each service, on a thread of its own, and closes the connection. Reuses a result of the last second.
  awaitable<std::vector<service>> look();

  /// Waits for running probes; refuses later ones.
  void stop() { threads_.stop(); }

private:
  std::vector<service> try_all();

  const actors::current_config& settings_;
  std::mutex mutex_; // held during a probe: concurrent callers use its result
  std::vector<service> last_;
  std::chrono::steady_clock::time_point looked_{};
  rpc::thread_pool threads_{"probes", 1, 1000}; // last: its work uses the other members
};

} // namespace mistify::http
