#pragma once

#include "rpc/agents/storage/place.hpp"
#include "rpc/model/messages.hpp"

namespace mistify::agents::storage {

/// Volumes as such, images and guests' disks included. Thread-safe. Error texts: `need an id`, `need a valid size`,
/// `not found`, `… is in use: …`.
class volumes {
public:
  explicit volumes(place& where) : place_{where} {}

  rpc::volume_response list(const rpc::volume_request& request) const;
  rpc::volume_response get(const rpc::volume_request& request) const;
  /// A volume of that size that is there already is fine.
  rpc::volume_response create(const rpc::volume_request& request);
  /// Also images and disks; `guests/ID` removes all of the guest's. Throws if the volume is a guest's disk under another name.
  rpc::volume_response remove(const rpc::volume_request& request);

private:
  place& place_;
};

/// As the wire has it.
rpc::volume as_volume(const volume_facts& v, const backend& store);

} // namespace mistify::agents::storage
