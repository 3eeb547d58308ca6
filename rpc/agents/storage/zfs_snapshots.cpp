#include "rpc/agents/storage/command.hpp"
#include "rpc/agents/storage/image_lock.hpp"
#include "rpc/agents/storage/zfs_rows.hpp"
#include "rpc/agents/storage/zfs_store.hpp"

#include <algorithm>
#include <stdexcept>

// Snapshots of zvols.
namespace mistify::agents::storage {

std::vector<snapshot_facts> zfs_store::snapshots(std::string_view of) const {
  std::vector<snapshot_facts> found;
  const auto top = of.empty() ? settings_.pool : prefix_ + std::string{of};
  const auto text =
    zfs_if_there({"list", "-H", "-p", "-r", "-t", "snapshot", "-s", "createtxg", "-o", "name,written", top});
  for (const auto& [name, size] : rows_of(text))
    try {
      if (name.starts_with(prefix_) && !name.starts_with(prefix_ + "images/"))
        found.push_back({snapshot_id::parse(std::string_view{name}.substr(prefix_.size())), size});
    } catch (const std::invalid_argument&) {
      // Not of this store.
    }
  std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.id.of < b.id.of; });
  std::erase_if(found,
                [all = found, this](const auto& s) { return s.id.of.is_guest() && !missing_on(s.id, all).empty(); });
  return found;
}

/// The guest's disk that a snapshot of the guest is not of; "" for none. `all`: at least those of the guest.
std::string zfs_store::missing_on(const snapshot_id& id, const std::vector<snapshot_facts>& all) const {
  for (const auto& volume : volumes_of(id.of))
    if (std::none_of(all.begin(), all.end(), [&](const auto& s) { return s.id.of == volume && s.id.name == id.name; }))
      return volume.text();
  return {};
}

void zfs_store::expect_whole_snapshot(const snapshot_id& id) const {
  if (!id.of.is_guest())
    return;
  const auto all = snapshots(id.of.text());
  if (std::none_of(all.begin(), all.end(), [&](const auto& s) { return s.id.name == id.name; }))
    throw std::runtime_error{"not found"};
  if (const auto disk = missing_on(id, all); !disk.empty())
    throw std::runtime_error{disk + " has no snapshot " + id.name + ": the guest's is not whole"};
}

void zfs_store::snapshot(const snapshot_id& id) {
  if (volumes_of(id.of).empty())
    throw std::runtime_error{"not found"};
  if (id.of.is_guest())
    zfs({"snapshot", "-r", full(id)});
  else
    zfs({"snapshot", full(id)});
}

void zfs_store::destroy_snapshot(const snapshot_id& id, bool recursive) {
  if (recursive)
    zfs({"destroy", "-r", full(id)});
  else
    zfs({"destroy", full(id)});
}

void zfs_store::rollback(const snapshot_id& id, bool destroy_more_recent) {
  std::vector<snapshot_id> targets;
  std::string newer;
  bool seen = false; // the target, of the dataset that is looked at
  const auto all = snapshots(id.of.text());
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto& s = all[i].id;
    seen = seen && all[i - 1].id.of == s.of;
    if (seen)
      newer += (newer.empty() ? "" : ", ") + s.text();
    if (s.name == id.name && (id.of.is_guest() || s.of == id.of)) {
      targets.push_back(s);
      seen = true;
    }
  }
  if (targets.empty())
    throw std::runtime_error{"not found"};
  expect_whole_snapshot(id);
  if (!newer.empty() && !destroy_more_recent)
    throw std::runtime_error{"more recent snapshots exist: " + newer};
  std::vector<image_lock> held;
  for (const auto& target : targets)
    if (!target.of.is_guest())
      held.emplace_back(device_of(full(target.of)));
  for (const auto& target : targets)
    zfs({"rollback", "-r", full(target)});
}

byte_stream zfs_store::open_snapshot(const snapshot_id& id, stream_format format) const {
  if (format != stream_format::raw)
    throw std::runtime_error{"a ZFS store sends snapshots as `zfs send` does, and in no other format"};
  expect_whole_snapshot(id);
  std::vector<std::string> command{settings_.command, "send"};
  if (id.of.is_guest())
    command.emplace_back("-R");
  command.push_back(full(id));
  return {-1, [command](const byte_stream::sink& write) { return run_streaming(command, write); }};
}

} // namespace mistify::agents::storage
