#pragma once

#include "rpc/model/messages.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

/// The params of the calls that change a guest's disks. Errors: std::invalid_argument and `failure{invalid_request}`, which
/// name the member.
namespace mistify::agents::storage {

/// Of `attachDisk`: the disk.
rpc::disk disk_in(const rpc::guest_request& request);

/// Of `detachDisk` and `resizeDisk`.
struct disk_wish {
  std::size_t place = 0;  ///< in the guest's list
  std::uint64_t size = 0; ///< MB; of a resize
  bool destroys = false;  ///< the volume goes too
};

/// Throws std::runtime_error (`not found`) if the guest has no disk with that device.
disk_wish wish_in(const rpc::guest_request& request);

} // namespace mistify::agents::storage
