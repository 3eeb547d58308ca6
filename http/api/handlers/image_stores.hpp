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

/// The two places where images live, asked as if they were one.
namespace mistify::http::handlers {

/// Which stores a request means.
enum class stores : unsigned char { both, disk, container };

/// As `?type=` says it: `container`, any other text, or nothing.
stores stores_for(const request& from);

/// One image, as the store described it.
struct found_image {
  std::string text; ///< JSON
  bool container = false;
};

/// The images of all asked stores, disk store first. A store without a configured action has none. Throws the first
/// store's failure, else the second's.
/// `request_id` goes along, as it does below.
task<std::vector<found_image>> list_images_of(context& cx, stores which, rpc::image_request wish,
                                              std::string request_id);

/// One image: found in any asked store, that is it (the disk store's first). Else an error of any store is thrown, else
/// `not_found`; so the answer does not depend on which store is quicker.
task<found_image> find_image_in(context& cx, stores which, rpc::image_request wish, std::string request_id);

} // namespace mistify::http::handlers
