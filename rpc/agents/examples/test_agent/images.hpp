#pragma once

#include "rpc/model/messages.hpp"

#include <map>
#include <mutex>
#include <string>

namespace mistify::agents {

/// An image store without disks, one for machines and one for containers; they differ in wording. Thread-safe.
class images {
public:
  /// `type` is the type of images fetched without one; `absent` is the error text for a missing image.
  images(std::string type, std::string absent);

  /// The images of the requested type; all if it is empty.
  rpc::image_response list(const rpc::image_request& request) const;
  rpc::image_response get(const rpc::image_request& request) const;
  rpc::image_response fetch(const rpc::image_request& request);
  rpc::image_response remove(const rpc::image_request& request);

private:
  const std::string type_, absent_;
  mutable std::mutex mutex_;
  std::map<std::string, rpc::image> images_;
};

} // namespace mistify::agents
