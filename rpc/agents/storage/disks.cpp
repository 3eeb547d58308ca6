#include "rpc/agents/storage/disks.hpp"

#include "rpc/agents/storage/disks_plan.hpp"
#include "rpc/base/log.hpp"
#include "rpc/fetch/units.hpp"

#include <algorithm>
#include <set>
#include <stdexcept>

namespace mistify::agents::storage {

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

clone_kind kind_of(const rpc::guest_request& request) {
  const auto clone = request.args.find("clone");
  if (clone == request.args.end() || clone->second == "overlay")
    return clone_kind::overlay;
  if (clone->second != "full")
    throw std::invalid_argument{"args.clone: must be overlay or full"};
  return clone_kind::full;
}

void disks::attach(plan& p, std::size_t index) const {
  auto& d = p.guest.disks[index];
  const auto field = nth(index) + ".volume";
  const auto id = place_.dataset(d.volume);
  const bool own = id.guest() == p.guest.id && !id.is_guest();
  if (!own && (id.guest() || id.is_image()))
    throw std::invalid_argument{field + ": belongs to something else: " + d.volume};
  const auto found = place_.store().find(id);
  if (!found)
    throw std::runtime_error{field + ": not found"};
  const auto owner = own ? p.guest.id : place_.store().owner_of(id);
  if (owner.empty())
    p.to_claim.push_back(id);
  else if (owner != p.guest.id)
    throw std::runtime_error{field + ": in use by another guest"};
  p.volumes.push_back(id);
  fill_in(d, *found, place_.store());
}

/// The store's disks are asked for by their names, so that their owners are known.
void disks::expect_foreign(const rpc::disk& d, const std::string& field) const {
  if (!mistify::images::is_plain_text(d.source))
    throw std::invalid_argument{field + ".source: has control characters in it"};
  if (mistify::images::leads_into(d.source, place_.store().roots()))
    throw std::invalid_argument{field + ".source: leads into the store; give the volume's name"};
}

void disks::look_at(plan& p, std::size_t index, std::size_t number) const {
  const auto field = nth(index);
  auto& d = p.guest.disks[index];
  const auto own = dataset_id::of_disk(p.guest.id, number);
  const auto& store = place_.store();
  if (!d.volume.empty() && place_.dataset(d.volume) != own)
    return attach(p, index);
  if (d.volume.empty() && d.image.empty() && d.size == 0 && !d.source.empty())
    return expect_foreign(d, field);
  p.volumes.push_back(own);
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
  d.source.clear();
  d.extra.erase("format");
  p.to_make.push_back({index, own, image, size, {}});
}

disks::plan disks::plan_for(const rpc::guest_request& request) const {
  plan p{request.guest, {}, {}, {}};
  for (std::size_t i = 0; i < p.guest.disks.size(); ++i) {
    look_at(p, i, i);
    if (std::set<dataset_id>{p.volumes.begin(), p.volumes.end()}.size() < p.volumes.size())
      throw std::invalid_argument{nth(i) + ": is the same volume as another disk"};
  }
  return p;
}

/// Of all disks before the first one is made. A disk that is made counts as what it is.
void disks::claim_space(plan& p, clone_kind kind) const {
  for (auto& m : p.to_make)
    m.space.emplace(place_.store().space().promise(m.size, m.image && kind == clone_kind::full ? m.size : 0));
}

void disks::make(plan& p, clone_kind kind) {
  auto& store = place_.store();
  std::vector<dataset_id> made;
  try {
    for (auto& m : p.to_make) {
      if (m.image)
        store.clone(*m.image, m.id, m.size, kind);
      else
        store.create(m.id, m.size);
      made.push_back(m.id);
      m.space.reset();
      fill_in(p.guest.disks[m.index], store.find(m.id).value(), store);
    }
  } catch (...) {
    for (const auto& id : made)
      store.destroy(id);
    throw;
  }
}

/// With `place::owners` held.
void disks::claim(plan& p, clone_kind kind) {
  claim_space(p, kind);
  try {
    for (const auto& id : p.to_claim)
      place_.store().set_owner(id, p.guest.id);
  } catch (...) {
    give_back(p);
    throw;
  }
}

void disks::give_back(const plan& p) noexcept {
  for (const auto& id : p.to_claim)
    try {
      place_.store().set_owner(id, "");
    } catch (const std::exception& e) {
      rpc::log::warning("a volume is still held for a guest that was not made", {{"error", e.what()}});
    }
}

/// Volumes that are the guest's disks stay, for another guest.
void disks::release(const rpc::guest& guest) {
  const std::lock_guard lock{place_.owners()};
  for (const auto& d : guest.disks)
    release_one(d, guest.id);
}

/// With `place::owners` held.
void disks::release_one(const rpc::disk& d, const std::string& guest) {
  auto& store = place_.store();
  try {
    const auto id = place_.dataset(d.volume);
    if (!id.guest() && !id.is_image() && store.owner_of(id) == guest)
      store.set_owner(id, "");
  } catch (const std::invalid_argument&) {
    // No volume of this store.
  }
}

rpc::guest_response disks::verify(const rpc::guest_request& request) const {
  dataset_id::of_guest(request.guest.id);
  auto p = plan_for(request);
  claim_space(p, clone_kind::overlay);
  return {std::move(p.guest)};
}

rpc::guest_response disks::create(const rpc::guest_request& request) {
  const auto turn = place_.take(dataset_id::of_guest(request.guest.id));
  const auto kind = kind_of(request);
  std::unique_lock lock{place_.owners()};
  auto p = plan_for(request);
  claim(p, kind);
  lock.unlock();
  return carry_out(std::move(p), kind);
}

/// Makes what is claimed.
rpc::guest_response disks::carry_out(plan p, clone_kind kind) {
  try {
    make(p, kind);
  } catch (...) {
    give_back(p);
    throw;
  }
  return {std::move(p.guest)};
}

rpc::guest_response disks::remove(const rpc::guest_request& request) {
  const auto guest = dataset_id::of_guest(request.guest.id);
  const auto turn = place_.take(guest);
  place_.store().destroy(guest);
  release(request.guest);
  rpc::guest_response answer{request.guest};
  const auto own = place_.store().name_of(guest) + '/';
  std::erase_if(answer.guest.disks, [&](const rpc::disk& d) { return d.volume.starts_with(own); });
  return answer;
}

} // namespace mistify::agents::storage
