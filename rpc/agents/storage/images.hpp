#pragma once

#include "rpc/agents/storage/fetches.hpp"
#include "rpc/kit/server.hpp"
#include "rpc/model/messages.hpp"

namespace mistify::agents::storage {

/// The images that are there, and those on their way, whose `status` tells how far they are. Thread-safe. Error texts: `need
/// an id`, `need source`, `need a dest`, `not found`.
class images {
public:
  images(place& where, fetch_settings settings);

  rpc::image_response list(const rpc::image_request& request) const;
  rpc::image_response get(const rpc::image_request& request) const;
  /// Fetches the image from `source` (without one: its id, at the image server, as images/ID/download or else ID), as `id` (without one: the name in the
  /// source, without the packing's ending). Answers when it is there; that it was there before is fine. `sha256`, a member or
  /// an arg of the stage, is what the source has to send. Given up when nobody waits for it any more.
  rpc::image_response request(const rpc::image_request& request, const rpc::asker& who);
  /// Refused while disks stand on it.
  rpc::image_response remove(const rpc::image_request& request);
  /// Makes the volume `dest` of the image `id`.
  rpc::volume_response clone(const rpc::image_request& request);

private:
  fetch::order order_of(const rpc::image_request& request) const;

  place& place_;
  const std::string server_;
  fetches fetches_;
};

/// As the wire has it: complete, and of the type that disk images have.
rpc::image as_image(const volume_facts& v, const backend& store);

} // namespace mistify::agents::storage
