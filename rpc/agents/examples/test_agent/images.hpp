#pragma once

#include "rpc/model/messages.hpp"

#include <map>
#include <mutex>
#include <string>

namespace mistify::agents {

/// An image store without disks: one for machines, one for containers, which differ in words. Thread-safe.
class images {
public:
  /// `type` is what images get that were fetched without one; `absent` the error text for an image that is not there.
  images(std::string type, std::string absent);

  rpc::image_response list(const rpc::image_request& request) const; ///< those of the asked type, all without one
  rpc::image_response get(const rpc::image_request& request) const;
  rpc::image_response fetch(const rpc::image_request& request);
  rpc::image_response remove(const rpc::image_request& request);

private:
  const std::string type_, absent_;
  mutable std::mutex mutex_;
  std::map<std::string, rpc::image> images_;
};

} // namespace mistify::agents
