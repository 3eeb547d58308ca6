#pragma once

#include "http/api/actor_gateway.hpp"
#include "http/api/handlers/context.hpp"
#include "http/api/task.hpp"
#include "http/protocol/message.hpp"
#include "rpc/model/model.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The two image stores, used as one.
namespace mistify::http::handlers {

/// The stores that a request covers.
enum class stores : unsigned char { both, disk, container };

/// From `?type=`: `container`, any other text, or absent.
stores stores_for(const request& from);

/// An image as its store describes it.
struct found_image {
  std::string text; ///< JSON
  bool container = false;
};

/// Returns the images of all requested stores, disk store first. A store without a configured action has none. Throws
/// the first store's failure, otherwise the second's. `request_id` is passed on.
task<std::vector<found_image>> list_images_of(context& cx, stores which, rpc::image_request wish,
                                              std::string request_id);

/// Returns an image found in any requested store (the disk store's first). A disk store that returns another image than
/// `wish.id` fails. Otherwise throws an error of any store, otherwise `not_found`; the result does not depend on which
/// store is faster.
task<found_image> find_image_in(context& cx, stores which, rpc::image_request wish, std::string request_id);

} // namespace mistify::http::handlers
