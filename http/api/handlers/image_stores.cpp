#include "http/api/handlers/image_stores.hpp"

#include "actors/ids.hpp"
#include "http/api/handlers/common.hpp"
#include "rpc/base/cut_text.hpp"
#include "rpc/model/codec.hpp"

#include <utility>

namespace mistify::http::handlers {

using rpc::errc;
using rpc::failure;

namespace {

/// A store that is not configured or not requested answers null, which is no image.
awaitable<rpc::json::document> ask_store(context& cx, std::string_view action, bool asked,
                                         const rpc::image_request& wish, const std::string& request_id) {
  const auto what = asked ? cx.settings.find_action(action) : nullptr;
  if (!what)
    return awaitable<rpc::json::document>{[](const auto& on_done) { on_done(rpc::json::document{}); }};
  return cx.agents.ask(std::string{actors::agent_runner}, {what, rpc::encode(wish), false, request_id});
}

void add_images(std::vector<found_image>& to, const rpc::json::node& result, bool container) {
  from_sub_agent([&] {
    result.members("result"); // throws unless it is an object or null
    if (const auto* images = result.find("images"))
      for (const rpc::json::node& image : images->items("images")) {
        image.members("image");
        to.push_back({image.text(), container});
      }
  });
}

using outcomes = std::pair<rpc::outcome<rpc::json::document>, rpc::outcome<rpc::json::document>>;

task<outcomes> ask_stores(context& cx, stores which, rpc::image_request wish, std::string request_id,
                          std::string disk_action, std::string container_action) {
  auto disk = ask_store(cx, disk_action, which != stores::container, wish, request_id);
  auto container = ask_store(cx, container_action, which != stores::disk, wish, request_id);
  auto all = both(std::move(disk), std::move(container));
  co_return co_await all;
}

/// Returns the images of one store's answer; a failure that means absence counts as none.
std::vector<found_image> images_of(const rpc::outcome<rpc::json::document>& answer, bool container) {
  std::vector<found_image> images;
  if (const auto* result = std::get_if<rpc::json::document>(&answer))
    add_images(images, result->root(), container);
  else if (const auto& why = std::get<failure>(answer); !means_absent(why))
    throw why;
  return images;
}

/// A disk store knows an image by its id only, so that one with another id was not asked for. Container stores know images by
/// several names.
found_image only_image(std::vector<found_image> images, const std::string& id) {
  constexpr std::size_t longest_told = 100;
  auto& first = images.front();
  if (first.container)
    return std::move(first);
  auto found = from_sub_agent([&] { return rpc::decode_image(rpc::json::document::parse(first.text).root()).id; });
  if (found != id)
    throw failure{errc::sub_agent_failed,
                  "the sub-agent returned another image: \"" + rpc::cut_text(found, longest_told) + '"'};
  return std::move(first);
}

} // namespace

stores stores_for(const request& from) {
  const auto* type = from.parameter("type");
  if (!type || type->empty())
    return stores::both;
  return *type == "container" ? stores::container : stores::disk;
}

task<std::vector<found_image>> list_images_of(context& cx, stores which, rpc::image_request wish,
                                              std::string request_id) {
  const auto answers =
    co_await ask_stores(cx, which, std::move(wish), std::move(request_id), "listImages", "containerListImages");
  auto images = images_of(answers.first, false);
  for (auto& image : images_of(answers.second, true))
    images.push_back(std::move(image));
  co_return images;
}

task<found_image> find_image_in(context& cx, stores which, rpc::image_request wish, std::string request_id) {
  const auto id = wish.id;
  const auto answers =
    co_await ask_stores(cx, which, std::move(wish), std::move(request_id), "getImage", "containerGetImage");
  std::optional<failure> trouble;
  for (const bool container : {false, true}) {
    try {
      auto images = images_of(container ? answers.second : answers.first, container);
      if (!images.empty())
        co_return only_image(std::move(images), id);
    } catch (const failure& e) {
      trouble = e;
    }
  }
  throw trouble.value_or(failure{errc::not_found, "not found"});
}

} // namespace mistify::http::handlers
