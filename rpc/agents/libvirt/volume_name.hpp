#pragma once

#include <cstdint>
#include <string_view>

namespace mistify::agents {

/// Whose a volume is, seen from one guest.
enum class volume_owner : std::uint8_t {
  guest,   ///< the guest itself: `guests/ID/disk-N`
  nobody,  ///< made by CreateVolume: any guest may have it, one at a time
  another, ///< another guest's disk
  image,   ///< disks of many guests stand on it
  store    ///< no volume: a snapshot, a file on its way, or a name that the store does not give
};

/// Judges a volume by its name below the store's folder or pool, which mistify-storage gives it.
volume_owner owner_of_volume(std::string_view name, std::string_view guest) noexcept;

} // namespace mistify::agents
