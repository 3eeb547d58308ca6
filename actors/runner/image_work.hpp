#pragma once

#include "actors/config/config.hpp"

#include <string>
#include <string_view>

/// What a client's request about an image, JSON text, says for the order of the jobs on images.
namespace mistify::actors {

struct image_work {
  /// What the job is about: jobs of one image run one at a time. An image without an id is known by what it is fetched
  /// from.
  std::string image{};

  /// The host of the URL that an image is fetched from, lower case, without its port: fetches from one host leave places
  /// for those from others. Empty for a file, and for the sub-agent's own server of images, which the operator chose.
  std::string source_host{};
};

/// Both empty for a request that cannot be read: its stage will say what is wrong.
image_work read_image_work(std::string_view request);

/// Fetches may take hours and need little of a sub-agent: they have places of their own.
bool is_fetch(const action_kind& kind);

} // namespace mistify::actors
