#include "rpc/agents/storage/disks.hpp"

#include "rpc/agents/storage/units.hpp"

#include <algorithm>
#include <stdexcept>

namespace mistify::agents::storage {

/// What has to be made so that a guest has its disks.
struct disks::plan {
  struct missing {
    std::size_t index;
    dataset_id id;
    std::optional<dataset_id> image;
    std::uint64_t size; ///< bytes
  };
  rpc::guest guest; // with its sizes, and what is there already filled in
  std::vector<missing> to_make;
};

namespace {

void fill_in(rpc::disk& d, const volume_facts& made, const backend& store) {
  d.volume = store.name_of(made.id);
  d.source = made.device;
  d.size = in_megabytes(made.size);
  d.extra["format"] = '"' + made.format + '"'; // a hypervisor is told, and need not guess
}

std::string nth(std::size_t index) {
  return "disks[" + std::to_string(index) + ']';
}

} // namespace

void disks::attach(rpc::disk& d, const std::string& field) const {
  const auto id = place_.dataset(d.volume);
  if (id.guest() || id.is_image())
    throw std::invalid_argument{field + ".volume: belongs to something else: " + d.volume};
  const auto found = place_.store().find(id);
  if (!found)
    throw std::runtime_error{field + ".volume: not found"};
  fill_in(d, *found, place_.store());
}

void disks::look_at(plan& p, std::size_t index) const {
  const auto field = nth(index);
  auto& d = p.guest.disks[index];
  const auto own = dataset_id::of_disk(p.guest.id, index);
  const auto& store = place_.store();
  if (!d.volume.empty() && d.volume != store.name_of(own))
    return attach(d, field);
  if (d.volume.empty() && d.image.empty() && !d.source.empty())
    return; // somebody else's
  std::optional<dataset_id> image;
  auto size = in_bytes(d.size, field + ".size");
  if (!d.image.empty()) {
    image = dataset_id::of_image(d.image);
    const auto found = store.find(*image);
    if (!found)
      throw std::runtime_error{field + ".image: not found: " + d.image};
    size = std::max(size, found->size);
  }
  if (size == 0)
    throw std::invalid_argument{field + ": needs a size or an image"};
  const auto there = store.find(own);
  if (there && in_megabytes(there->size) != in_megabytes(size))
    throw std::runtime_error{own.text() + " exists already, with another size"};
  if (there)
    return fill_in(d, *there, store);
  d.size = in_megabytes(size);
  p.to_make.push_back({index, own, image, size});
}

disks::plan disks::plan_for(const rpc::guest_request& request) const {
  plan p{request.guest, {}};
  for (std::size_t i = 0; i < p.guest.disks.size(); ++i)
    look_at(p, i);
  std::uint64_t left = place_.store().free_space();
  for (const auto& m : p.to_make) {
    if (m.size > left)
      throw std::runtime_error{"no space left on device"};
    left -= m.size;
  }
  return p;
}

void disks::make(plan& p, clone_kind kind) {
  auto& store = place_.store();
  std::vector<dataset_id> made;
  try {
    for (const auto& m : p.to_make) {
      if (m.image)
        store.clone(*m.image, m.id, m.size, kind);
      else
        store.create(m.id, m.size);
      made.push_back(m.id);
      fill_in(p.guest.disks[m.index], store.find(m.id).value(), store);
    }
  } catch (...) {
    for (const auto& id : made)
      store.destroy(id);
    throw;
  }
}

rpc::guest_response disks::verify(const rpc::guest_request& request) const {
  dataset_id::of_guest(request.guest.id);
  return {plan_for(request).guest};
}

rpc::guest_response disks::create(const rpc::guest_request& request) {
  const auto turn = place_.take(dataset_id::of_guest(request.guest.id));
  const auto clone = request.args.find("clone");
  if (clone != request.args.end() && clone->second != "full" && clone->second != "overlay")
    throw std::invalid_argument{"args.clone: must be overlay or full"};
  auto p = plan_for(request);
  make(p, clone != request.args.end() && clone->second == "full" ? clone_kind::full : clone_kind::overlay);
  return {std::move(p.guest)};
}

rpc::guest_response disks::remove(const rpc::guest_request& request) {
  const auto guest = dataset_id::of_guest(request.guest.id);
  const auto turn = place_.take(guest);
  place_.store().destroy(guest);
  rpc::guest_response answer{request.guest};
  const auto own = place_.store().name_of(guest) + '/';
  std::erase_if(answer.guest.disks, [&](const rpc::disk& d) { return d.volume.starts_with(own); });
  return answer;
}

} // namespace mistify::agents::storage
