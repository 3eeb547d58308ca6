#include "rpc/agents/storage/volumes.hpp"

#include "rpc/fetch/units.hpp"

#include <mutex>
#include <stdexcept>

namespace mistify::agents::storage {

rpc::volume as_volume(const volume_facts& v, const backend& store) {
  return {store.name_of(v.id), in_megabytes(v.size), v.device};
}

rpc::volume_response volumes::list(const rpc::volume_request&) const {
  rpc::volume_response found;
  for (const auto& v : place_.store().list(""))
    found.volumes.push_back(as_volume(v, place_.store()));
  return found;
}

rpc::volume_response volumes::get(const rpc::volume_request& request) const {
  const auto found = place_.store().find(place_.dataset(request.id));
  if (!found)
    throw std::runtime_error{"not found"};
  return {{as_volume(*found, place_.store())}};
}

rpc::volume_response volumes::create(const rpc::volume_request& request) {
  if (request.size == 0)
    throw std::invalid_argument{"need a valid size"};
  const auto id = place_.free_volume(request.id);
  const auto size = in_bytes(request.size, "size");
  const auto turn = place_.take(id);
  auto& store = place_.store();
  if (const auto there = store.find(id); there && in_megabytes(there->size) != request.size)
    throw std::runtime_error{id.text() + " exists already, with another size"};
  else if (!there) {
    const auto space = store.space().promise(size);
    store.create(id, size);
  }
  return get(request);
}

rpc::volume_response volumes::remove(const rpc::volume_request& request) {
  const auto id = place_.dataset(request.id);
  const auto turn = place_.take(id);
  const std::lock_guard lock{place_.owners()};
  auto& store = place_.store();
  rpc::volume_response removed;
  if (id.is_guest())
    for (const auto& v : store.list(id.text() + '/'))
      removed.volumes.push_back(as_volume(v, store));
  else if (const auto v = store.find_any(id))
    removed.volumes.push_back(as_volume(*v, store));
  if (removed.volumes.empty())
    throw std::runtime_error{"not found"};
  if (!id.guest() && !id.is_image() && !store.owner_of(id).empty())
    throw std::runtime_error{id.text() + " is in use: it is a guest's disk"};
  store.destroy(id);
  return removed;
}

} // namespace mistify::agents::storage
