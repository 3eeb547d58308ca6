#include "actors/ids.hpp"
#include "http/api/handlers/common.hpp"
#include "http/api/handlers/handlers.hpp"
#include "http/api/handlers/image_stores.hpp"
#include "rpc/model/codec.hpp"
#include "rpc/model/exact_names.hpp"

namespace mistify::http::handlers {

using rpc::errc;
using rpc::failure;

namespace {

/// Returns an image in the form of the API. The container routes return the store's own form instead.
std::string as_image(const found_image& image) {
  return from_sub_agent([&] {
    auto value = rpc::decode_image(rpc::json::document::parse(image.text).root());
    if (value.type.empty() && image.container)
      value.type = "container";
    return rpc::encode(value);
  });
}

/// Returns the text of a member that container stores use; empty if it is absent.
std::string text_of(const rpc::image_request& wish, const std::string& member) {
  const auto found = wish.extra.find(member);
  if (found == wish.extra.end())
    return {};
  const auto document = rpc::json::document::parse(found->second);
  return document.root().type() == rpc::json::node::kind::string ? document.root().as_string(member) : std::string{};
}

void expect_no_controls(const rpc::image_request& wish) {
  expect_no_controls_in({{"id", wish.id},
                         {"type", wish.type},
                         {"dest", wish.dest},
                         {"source", wish.source},
                         {"name", text_of(wish, "name")}});
}

/// Makes the request to a store. Passes on `name` and `opts` of the query, which container stores use.
rpc::image_request wish_of(const request& from, stores which) {
  rpc::image_request wish;
  if (const auto* image = from.captures.find("image")) // a list has none
    wish.id = *image;
  if (const auto* type = from.parameter("type"))
    wish.type = *type;
  expect_no_controls(wish);
  if (which != stores::container)
    return wish;
  wish.type = "container";
  for (const auto* name : {"name", "opts"})
    if (const auto* value = from.parameter(name))
      wish.extra[name] = std::move(rpc::json::writer{}.value(*value)).str();
  expect_no_controls(wish);
  return wish;
}

task<answer> list(context& cx, request& from, stores which, bool raw) {
  const auto images = co_await list_images_of(cx, which, wish_of(from, which), from.id);
  std::vector<std::string> texts;
  for (const auto& image : images)
    texts.push_back(raw ? image.text : as_image(image));
  co_return json_answer(200, json_array(texts));
}

task<answer> get(context& cx, request& from, stores which, bool raw) {
  const auto image = co_await find_image_in(cx, which, wish_of(from, which), from.id);
  co_return json_answer(200, raw ? image.text : as_image(image));
}

task<answer> queue(context& cx, request_identity who, std::string action, rpc::image_request wish, std::string body) {
  auto job = make_job(who, require_action(cx, action), rpc::encode(wish));
  const auto queued = co_await cx.agents.queue(std::string{actors::agent_runner}, std::move(job));
  co_return accepted(std::move(body), queued);
}

constexpr std::string_view no_images = R"({"images":[]})";

task<answer> fetch(context& cx, request& from, bool container) {
  auto wish = rpc::decode_image_request(from.body);
  rpc::expect_exact_names(wish);
  expect_no_controls(wish);
  container = container || wish.type == "container";
  if (container)
    wish.type = "container";
  if (wish.id.empty() && wish.source.empty() && !(container && wish.extra.contains("name")))
    throw failure{errc::invalid_request, "missing id"};
  const auto who = identify(from, rpc::encode(wish));
  if (const auto first = repeated(cx, who))
    co_return accepted(std::string{no_images}, *first);
  std::string action = container ? "containerFetchImage" : "fetchImage";
  co_return co_await queue(cx, who, std::move(action), std::move(wish), std::string{no_images});
}

/// Nobody knows whose guests are to be made of an image.
task<answer> remove(context& cx, request& from, stores which) {
  expect_unlimited(*from.who);
  auto wish = wish_of(from, which);
  const auto who = identify(from, rpc::encode(wish));
  if (const auto first = repeated(cx, who))
    co_return accepted("{}", *first);
  const auto image = co_await find_image_in(cx, which, wish, from.id);
  wish.type = rpc::decode_image(rpc::json::document::parse(as_image(image)).root()).type;
  std::string action = image.container ? "containerDeleteImage" : "deleteImage";
  co_return co_await queue(cx, who, std::move(action), std::move(wish), "{}");
}

} // namespace

task<answer> list_images(context& cx, request& from) {
  const auto which = stores_for(from);
  return list(cx, from, which, false);
}
task<answer> get_image(context& cx, request& from) {
  const auto which = stores_for(from);
  return get(cx, from, which, false);
}
task<answer> delete_image(context& cx, request& from) {
  const auto which = stores_for(from);
  return remove(cx, from, which);
}
task<answer> fetch_image(context& cx, request& from) {
  return fetch(cx, from, false);
}

task<answer> list_container_images(context& cx, request& from) {
  return list(cx, from, stores::container, true);
}
task<answer> get_container_image(context& cx, request& from) {
  return get(cx, from, stores::container, true);
}
task<answer> delete_container_image(context& cx, request& from) {
  return remove(cx, from, stores::container);
}
task<answer> fetch_container_image(context& cx, request& from) {
  return fetch(cx, from, true);
}

} // namespace mistify::http::handlers
