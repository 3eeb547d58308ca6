#pragma once

#include "rpc/model/messages.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

namespace mistify::agents {

/// A hypervisor without machines: guests are states and metrics. Thread-safe.
///
/// Accepts unknown guests as they are, since the agent remembers them when this process restarts.
class guests {
public:
  using clock = std::function<double()>; ///< seconds

  explicit guests(clock now);

  /// Runs `action`, the name in the agent's config without the prefix "container" and in lower case ("reboot"). Throws
  /// std::invalid_argument ("invalid argument") for a guest without id.
  rpc::guest_response act(std::string_view action, const rpc::guest_request& request);

  /// Returns metrics that rise with the time since the guest was created; `type` is "cpu", "disk" or "nic".
  rpc::guest_metrics_response metrics(std::string_view type, const rpc::guest_metrics_request& request);

private:
  struct record {
    unsigned number; ///< index of the guest, from 0
    double since;
  };
  record known(const std::string& id);

  clock now_;
  std::mutex mutex_;
  unsigned next_ = 0;
  std::map<std::string, record> records_;
};

} // namespace mistify::agents
