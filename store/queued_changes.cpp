#include "store/queued_changes.hpp"

#include "rpc/base/error.hpp"
#include "store/guest_wish.hpp"

#include <algorithm>
#include <cstdint>
#include <ranges>
#include <string>

namespace mistify::store {

namespace {

using rpc::errc;
using rpc::failure;
using rpc::json::node;

/// The devices of a guest, as far as changes may get in each other's way.
struct devices {
  struct disk {
    std::string device, volume;
    std::uint64_t size = 0;
    bool leaves = false; ///< a queued job detaches it
  };
  std::vector<disk> disks;
  std::vector<std::string> nics; ///< their names
};

std::string text_in(const node& wish, std::string_view member) {
  const auto* value = wish.find(member);
  return value ? value->as_string(member) : std::string{};
}

std::uint64_t size_in(const node& wish) {
  const auto* size = wish.find("size");
  return size ? size->as_uint("size") : 0;
}

devices devices_of(const rpc::guest& guest) {
  devices all;
  for (const auto& one : guest.disks)
    all.disks.push_back({one.device, one.volume, one.size});
  for (const auto& one : guest.nics)
    all.nics.push_back(one.name);
  return all;
}

/// Returns null for a disk without a device name: the stage of its job judges it.
devices::disk* find_disk(devices& in, const std::string& device) {
  if (device.empty())
    return nullptr;
  const auto newest = std::ranges::find(in.disks.rbegin(), in.disks.rend(), device, &devices::disk::device);
  return newest == in.disks.rend() ? nullptr : &*newest;
}

bool has_volume(const devices& in, const std::string& volume) {
  return std::ranges::any_of(in.disks, [&](const devices::disk& one) { return !one.leaves && one.volume == volume; });
}

/// What a queued job will have changed.
void apply(std::string_view change, const node& wish, devices& to) {
  const auto device = text_in(wish, "device");
  if (change == "attachDisk") {
    to.disks.push_back({device, text_in(wish, "volume"), size_in(wish)});
  } else if (change == "resizeDisk") {
    if (auto* disk = find_disk(to, device))
      disk->size = std::max(disk->size, size_in(wish));
  } else if (change == "detachDisk") {
    if (auto* disk = find_disk(to, device))
      disk->leaves = true;
  } else if (change == "attachNic") {
    to.nics.push_back(text_in(wish, "name"));
  } else if (change == "detachNic") {
    if (const auto name = text_in(wish, "name"); !name.empty())
      std::erase(to.nics, name);
  }
}

void apply(const open_job& job, devices& to) try {
  const auto change = change_of(job.action);
  if (change.empty() || change == "update")
    return;
  apply(change, rpc::json::document::parse(job.request).root(), to);
} catch (const failure&) { // a hand wrote it into the database: its stage will refuse it
}

void expect_new_disk(devices& in, const node& wish) {
  const auto device = text_in(wish, "device"), volume = text_in(wish, "volume");
  if (const auto* other = find_disk(in, device); other && !other->leaves)
    throw failure{errc::conflict, "device: the guest has a disk " + device};
  if (!volume.empty() && has_volume(in, volume))
    throw failure{errc::conflict, "volume: the guest has the disk " + volume};
}

void expect_disk(devices& in, const node& wish, bool resizes) {
  const auto* disk = find_disk(in, text_in(wish, "device"));
  if (!disk)
    return;
  if (disk->leaves)
    throw failure{errc::conflict, "the disk " + disk->device + " is being detached"};
  if (resizes && size_in(wish) < disk->size)
    throw failure{errc::conflict, "size: the disk has " + std::to_string(disk->size) +
                                    " MB once the queued jobs are done, and disks never become smaller"};
}

} // namespace

void expect_possible_behind(const rpc::guest& guest, const std::vector<open_job>& open, std::string_view change,
                            const node& wish) {
  auto then = devices_of(guest);
  for (const auto& job : std::views::reverse(open))
    apply(job, then);
  if (change == "attachDisk")
    expect_new_disk(then, wish);
  else if (change == "resizeDisk" || change == "detachDisk")
    expect_disk(then, wish, change == "resizeDisk");
  else if (const auto name = text_in(wish, "name"); change == "attachNic" && !name.empty())
    if (std::ranges::find(then.nics, name) != then.nics.end())
      throw failure{errc::conflict, "name: the guest has a nic " + name};
}

} // namespace mistify::store
