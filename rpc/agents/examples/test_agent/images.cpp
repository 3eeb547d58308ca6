#include "rpc/agents/examples/test_agent/images.hpp"

#include <stdexcept>

namespace mistify::agents {

namespace {

constexpr std::uint64_t image_size = 512; // MB

/// Container images may be requested by `name`, which the agent passes on unchanged.
std::string name_of(const rpc::image_request& request) {
  const auto name = request.extra.find("name");
  if (name == request.extra.end())
    return {};
  return rpc::json::document::parse(name->second).root().as_string("name");
}

/// Returns the id, or its substitute: the name, or the last part of the source.
std::string id_of(const rpc::image_request& request) {
  if (!request.id.empty())
    return request.id;
  if (auto name = name_of(request); !name.empty())
    return name;
  return request.source.substr(request.source.rfind('/') + 1);
}

} // namespace

images::images(std::string type, std::string absent) : type_{std::move(type)}, absent_{std::move(absent)} {}

rpc::image_response images::list(const rpc::image_request& request) const {
  std::lock_guard lock{mutex_};
  rpc::image_response found;
  for (const auto& [id, image] : images_)
    if (request.type.empty() || request.type == image.type)
      found.images.push_back(image);
  return found;
}

rpc::image_response images::get(const rpc::image_request& request) const {
  std::lock_guard lock{mutex_};
  const auto at = images_.find(id_of(request));
  if (at == images_.end())
    throw std::runtime_error{absent_};
  return {{at->second}};
}

rpc::image_response images::fetch(const rpc::image_request& request) {
  const auto id = id_of(request);
  if (id.empty())
    throw std::runtime_error{"need an id"};
  rpc::image made{.id = id,
                  .type = request.type.empty() ? type_ : request.type,
                  .volume = "images/" + id,
                  .snapshot = "images/" + id + "@0",
                  .size = image_size,
                  .status = "complete"};
  std::lock_guard lock{mutex_};
  return {{images_.insert_or_assign(id, std::move(made)).first->second}};
}

rpc::image_response images::remove(const rpc::image_request& request) {
  std::lock_guard lock{mutex_};
  const auto node = images_.extract(id_of(request));
  if (!node)
    throw std::runtime_error{absent_};
  return {{node.mapped()}};
}

} // namespace mistify::agents
