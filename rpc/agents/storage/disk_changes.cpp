#include "rpc/agents/storage/disk_wish.hpp"
#include "rpc/agents/storage/disks.hpp"
#include "rpc/agents/storage/disks_plan.hpp"
#include "rpc/fetch/units.hpp"

#include <algorithm>
#include <charconv>
#include <stdexcept>
#include <string_view>

// Disks of a guest that is there: one more, one less, one that grows.
namespace mistify::agents::storage {

namespace {

/// One above the N of a volume "…/disk-N"; 0 for any other name.
std::size_t number_after(std::string_view volume) {
  constexpr std::string_view mark = "/disk-";
  const auto at = volume.rfind(mark);
  if (at == volume.npos)
    return 0;
  const auto digits = volume.substr(at + mark.size());
  std::size_t number = 0;
  const auto [rest, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return fault == std::errc{} && rest == digits.data() + digits.size() ? number + 1 : 0;
}

/// Member of a guest that had a disk taken off: the number of its next one, so that none is used again.
constexpr auto next_member = "next_disk";

/// 0 where it is absent, or is nothing that `detach` wrote.
std::size_t kept_number(const rpc::guest& guest) {
  constexpr std::size_t most = 1'000'000;
  const auto found = guest.extra.find(next_member);
  if (found == guest.extra.end())
    return 0;
  const std::string_view digits = found->second;
  std::size_t number = 0;
  const auto [rest, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return fault == std::errc{} && rest == digits.data() + digits.size() && number <= most ? number : 0;
}

/// Volumes of disks that were taken off count too, whether they are kept for another day or not.
std::size_t next_number(const rpc::guest& guest, const backend& store) {
  auto next = std::max(guest.disks.size(), kept_number(guest));
  for (const auto& disk : guest.disks)
    next = std::max(next, number_after(disk.volume));
  for (const auto& volume : store.list(dataset_id::of_guest(guest.id).text() + '/'))
    next = std::max(next, number_after('/' + volume.id.last_part()));
  return next;
}

} // namespace

disks::plan disks::plan_to_attach(const rpc::guest_request& request) const {
  plan p{request.guest, {}, {}, {}};
  const auto number = next_number(p.guest, place_.store());
  auto wanted = disk_in(request);
  wanted.extra.erase("format"); // the store's to say
  for (const auto& there : p.guest.disks)
    if (!wanted.device.empty() && there.device == wanted.device)
      throw std::invalid_argument{"device: is a disk of the guest already"};
  if (!wanted.volume.empty())
    for (const auto& there : p.guest.disks)
      if (!there.volume.empty() && place_.without_prefix(there.volume) == place_.without_prefix(wanted.volume))
        throw std::invalid_argument{"volume: is a disk of the guest already"};
  p.guest.disks.push_back(std::move(wanted));
  look_at(p, p.guest.disks.size() - 1, number);
  return p;
}

rpc::guest_response disks::attach_new(const rpc::guest_request& request) {
  const auto turn = place_.take(dataset_id::of_guest(request.guest.id));
  const auto kind = kind_of(request);
  std::unique_lock lock{place_.owners()};
  auto p = plan_to_attach(request);
  claim(p, kind);
  lock.unlock();
  return carry_out(std::move(p), kind);
}

rpc::guest_response disks::detach(const rpc::guest_request& request) {
  const auto turn = place_.take(dataset_id::of_guest(request.guest.id));
  const auto wish = wish_in(request);
  rpc::guest_response answer{request.guest};
  const auto gone = answer.guest.disks[wish.place];
  answer.guest.extra[next_member] = std::to_string(next_number(request.guest, place_.store()));
  answer.guest.disks.erase(answer.guest.disks.begin() + static_cast<std::ptrdiff_t>(wish.place));
  if (gone.volume.empty())
    return answer;
  const std::lock_guard lock{place_.owners()};
  const auto id = place_.dataset(gone.volume);
  auto& store = place_.store();
  const bool own = id.guest() == request.guest.id && !id.is_guest();
  if (wish.destroys && (own || (!id.guest() && !id.is_image() && store.owner_of(id) == request.guest.id)))
    store.destroy(id);
  else
    release_one(gone, request.guest.id);
  return answer;
}

rpc::guest_response disks::resize(const rpc::guest_request& request) {
  const auto turn = place_.take(dataset_id::of_guest(request.guest.id));
  const auto wish = wish_in(request);
  rpc::guest_response answer{request.guest};
  auto& disk = answer.guest.disks[wish.place];
  if (disk.volume.empty())
    throw std::invalid_argument{"disk: is no volume of the store, which therefore cannot make it larger"};
  const auto id = place_.dataset(disk.volume);
  auto& store = place_.store();
  const bool own = id.guest() == request.guest.id && !id.is_guest();
  if (!own && (id.guest() || id.is_image() || store.owner_of(id) != request.guest.id))
    throw std::invalid_argument{"disk: belongs to something else: " + disk.volume};
  const auto there = store.find(id);
  if (!there)
    throw std::runtime_error{"not found"};
  const auto size = in_bytes(wish.size, "size");
  if (size < there->size)
    throw std::invalid_argument{"size: the disk has " + std::to_string(in_megabytes(there->size)) +
                                " MB, and disks never become smaller"};
  if (size > there->size) {
    const auto space = store.space().promise(size - there->size);
    store.grow(id, size);
  }
  disk.size = wish.size;
  return answer;
}

} // namespace mistify::agents::storage
