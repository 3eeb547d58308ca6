#pragma once

#include "rpc/model/messages.hpp"

#include <string>
#include <string_view>

namespace mistify::agents {

/// Changes a guest that has no machine: `action` is "update", "attachDisk", "detachDisk", "resizeDisk", "attachNic" or
/// "detachNic". Throws std::invalid_argument, and std::runtime_error (`not found`) for a disk or nic that is not there.
rpc::guest_response change_guest(std::string_view action, const rpc::guest_request& request);

/// The result of `pending`: nothing waits for the next start of a guest without a machine.
struct no_pending_changes {};
inline std::string encode(const no_pending_changes&) {
  return "[]";
}

} // namespace mistify::agents
