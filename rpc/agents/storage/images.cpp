#include "rpc/agents/storage/images.hpp"

#include "rpc/agents/storage/units.hpp"
#include "rpc/agents/storage/volumes.hpp"

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

rpc::image_response images::list(const rpc::image_request&) const {
  rpc::image_response found;
  for (const auto& v : place_.store().list("images/"))
    found.images.push_back(as_image(v, place_.store()));
  return found;
}

rpc::image_response images::get(const rpc::image_request& request) const {
  const auto found = place_.store().find(dataset_id::of_image(request.id));
  if (!found)
    throw std::runtime_error{"not found"};
  return {{as_image(*found, place_.store())}};
}

rpc::image_response images::remove(const rpc::image_request& request) {
  const auto id = dataset_id::of_image(request.id);
  const auto turn = place_.take(id);
  auto removed = get(request);
  place_.store().destroy(id);
  return removed;
}

rpc::volume_response images::clone(const rpc::image_request& request) {
  if (request.dest.empty())
    throw std::invalid_argument{"need a dest"};
  const auto from = dataset_id::of_image(request.id), to = place_.dataset(request.dest);
  if (to.is_image() || to.is_guest())
    throw std::invalid_argument{"invalid id: " + request.dest};
  const auto turn = place_.take(to);
  auto& store = place_.store();
  const auto image = store.find(from);
  if (!image)
    throw std::runtime_error{"not found"};
  if (const auto there = store.find(to))
    throw std::runtime_error{to.text() + " exists already"};
  store.clone(from, to, image->size, clone_kind::overlay);
  return {{as_volume(store.find(to).value(), store)}};
}

} // namespace mistify::agents::storage
