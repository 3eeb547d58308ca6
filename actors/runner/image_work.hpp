#pragma once

#include <string>
#include <string_view>

/// What a client's request about an image, JSON text, says for the order of the jobs on images.
namespace mistify::actors {

/// What the job is about: jobs of one image run one at a time. An image without an id is known by what it is fetched
/// from. Empty for a request that cannot be read: its stage will say what is wrong.
std::string image_of(std::string_view request);

/// The server that a client has an image fetched from, lower case, whatever the port: fetches of one server leave places
/// for those of others. Empty for a file, and for the sub-agent's own server of images, which the operator chose.
std::string source_host_of(std::string_view request);

} // namespace mistify::actors
