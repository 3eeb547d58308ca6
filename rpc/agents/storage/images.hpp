#pragma once

#include "rpc/agents/storage/place.hpp"
#include "rpc/messages.hpp"

namespace mistify::agents::storage {

/// The images that are there. Thread-safe. Error texts: `need an id`, `need a dest`, `not found`.
class images {
public:
  explicit images(place& where) : place_{where} {}

  rpc::image_response list(const rpc::image_request& request) const;
  rpc::image_response get(const rpc::image_request& request) const;
  /// Refused while disks stand on it.
  rpc::image_response remove(const rpc::image_request& request);
  /// Makes the volume `dest` of the image `id`.
  rpc::volume_response clone(const rpc::image_request& request);

private:
  place& place_;
};

/// As the wire has it: complete, and of the type that disk images have.
rpc::image as_image(const volume_facts& v, const backend& store);

} // namespace mistify::agents::storage
