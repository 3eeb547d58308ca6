#include "rpc/agents/storage/images.hpp"

#include "rpc/agents/storage/volumes.hpp"
#include "rpc/fetch/sha256.hpp"
#include "rpc/fetch/units.hpp"

#include <algorithm>
#include <stdexcept>

namespace mistify::agents::storage {

rpc::image as_image(const volume_facts& v, const backend& store) {
  return {.id = v.id.last_part(),
          .type = "kvm",
          .volume = store.name_of(v.id),
          .snapshot = v.snapshot,
          .size = in_megabytes(v.size),
          .status = "complete"};
}

namespace {

rpc::image as_image(const dataset_id& id, const fetch_progress& on_its_way, const backend& store) {
  const auto total = static_cast<std::uint64_t>(std::max<std::int64_t>(on_its_way.total(), 0));
  return {.id = id.last_part(),
          .type = "kvm",
          .volume = store.name_of(id),
          .snapshot = {},
          .size = in_megabytes(total),
          .status = on_its_way.text()};
}

std::string id_in(const std::string& source) {
  auto name = file_name_of(source);
  for (const std::string_view ending : {".gz", ".xz", ".zst"})
    if (name.ends_with(ending))
      return name.substr(0, name.size() - ending.size());
  return name;
}

} // namespace

images::images(place& where, fetch_settings settings)
  : place_{where}, server_{settings.server}, fetches_{where, std::move(settings)} {}

rpc::image_response images::list(const rpc::image_request&) const {
  rpc::image_response found;
  for (const auto& [id, progress] : fetches_.running())
    if (!place_.store().find_any(id))
      found.images.push_back(as_image(id, *progress, place_.store()));
  for (const auto& v : place_.store().list("images/"))
    found.images.push_back(as_image(v, place_.store()));
  return found;
}

rpc::image_response images::get(const rpc::image_request& request) const {
  const auto id = dataset_id::of_image(request.id);
  const auto progress = fetches_.progress_of(id); // first: it goes when the image is there
  if (const auto found = place_.store().find(id))
    return {{as_image(*found, place_.store())}};
  if (!progress)
    throw std::runtime_error{"not found"};
  return {{as_image(id, *progress, place_.store())}};
}

/// A URL goes to logs and messages only after `without_secrets`, so it may be no id.
fetch::order images::order_of(const rpc::image_request& request) const {
  if (request.id.find("://") != request.id.npos)
    throw std::invalid_argument{"id: must be no URL"};
  auto sum = wanted_sum(request);
  if (request.source.find("://") != request.source.npos) {
    parse_url(request.source);
    return {request.source, std::move(sum)};
  }
  if (server_.empty())
    throw std::invalid_argument{request.source.empty() ? "need source" : "source: must be an http, https or file URL"};
  const auto base = server_ + (server_.ends_with('/') ? "" : "/");
  if (!request.source.empty())
    return {base + request.source, std::move(sum)};
  const auto id = dataset_id::of_image(request.id).last_part();
  return {base + "images/" + id + "/download", std::move(sum), base + id}; // the first as the original's service has it
}

rpc::image_response images::request(const rpc::image_request& request, const rpc::asker& who) {
  const auto order = order_of(request);
  const auto id = dataset_id::of_image(request.id.empty() ? id_in(order.source) : request.id);
  fetches_.wait_for(id, order, who);
  auto made = request;
  made.id = id.last_part();
  return get(made);
}

rpc::image_response images::remove(const rpc::image_request& request) {
  const auto id = dataset_id::of_image(request.id);
  const auto turn = place_.take(id);
  const auto there = place_.store().find_any(id); // also one that cannot be read
  auto removed = there ? rpc::image_response{{as_image(*there, place_.store())}} : get(request);
  place_.store().destroy(id);
  return removed;
}

rpc::volume_response images::clone(const rpc::image_request& request) {
  if (request.dest.empty())
    throw std::invalid_argument{"need a dest"};
  const auto from = dataset_id::of_image(request.id), to = place_.free_volume(request.dest);
  const auto turn = place_.take(to);
  auto& store = place_.store();
  const auto image = store.find(from);
  if (!image)
    throw std::runtime_error{"not found"};
  if (const auto there = store.find(to))
    throw std::runtime_error{to.text() + " exists already"};
  const auto space = store.space().promise(image->size);
  store.clone(from, to, image->size, clone_kind::overlay);
  return {{as_volume(store.find(to).value(), store)}};
}

} // namespace mistify::agents::storage
