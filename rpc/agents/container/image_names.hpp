#pragma once

#include "rpc/base/json.hpp"
#include "rpc/model/model.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace mistify::agents::container {

/// How the engine names an image: REPOSITORY:TAG.
struct image_tag {
  std::string repository, tag;

  std::string text() const { return repository + ':' + tag; }
};

/// Throws std::invalid_argument: `need an id` for an empty one, else unless it can be an image's name: lower-case letters,
/// digits and `. _ - /`, and a tag behind a colon.
void expect_image_id(const std::string& id);

/// The tag that an image is given which is known by `id`. It lies below `localhost/`, which no registry is reached by, so that it
/// takes nothing from an image that came from elsewhere.
image_tag local_tag(const std::string& id);

/// What the engine may know the image by, in the order to look.
std::vector<std::string> references_of(const std::string& id);

/// The id of an image from a tag of the engine's: without `localhost/`, `docker.io/library/`, `docker.io/` and `:latest`.
/// "" for a tag that is none (`<none>:<none>`).
std::string id_of_tag(std::string_view tag);

/// The id of what comes from a URL, where none was asked for: the last part of its path without endings as .tar.gz, lower case.
std::string id_of_file(std::string_view file);

/// The whole reference, as Docker completes a short one: "alpine" → docker.io/library/alpine, tag latest. Throws
/// std::invalid_argument unless it can be a reference.
image_tag split_reference(const std::string& reference);

/// As the wire has it, from what the engine says of an image.
rpc::image image_from(const std::string& id, const rpc::json::node& described);

} // namespace mistify::agents::container
