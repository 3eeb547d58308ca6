#pragma once

#include <string>
#include <string_view>

/// What a client's request about an image, JSON text, says for the order of the jobs on images.
namespace mistify::actors {

/// What the job is about: jobs of one image run one at a time. An image without an id is known by what it is fetched
/// from. Empty for a request that cannot be read: its stage will say what is wrong.
std::string image_of(std::string_view request);

/// Returns the host of the URL that an image is fetched from, lower case, without its port: fetches from one host leave
/// places for those from others. Empty for a file, and for the sub-agent's own server of images, which the operator chose.
std::string source_host_of(std::string_view request);

} // namespace mistify::actors
