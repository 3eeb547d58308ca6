#include "rpc/agents/storage/directory_store.hpp"
#include "rpc/agents/storage/qcow2.hpp"
#include "rpc/base/log.hpp"
#include "rpc/images/store_file.hpp"

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <sys/stat.h>

// Which snapshots disks and guests have: the files that a disk stands on, and the marks of guests.
namespace mistify::agents::storage {

namespace fs = std::filesystem;

namespace {

std::uint64_t bytes_on_disk(const fs::path& file) {
  struct stat facts {};
  return ::stat(file.c_str(), &facts) == 0 ? static_cast<std::uint64_t>(facts.st_blocks) * 512 : 0;
}

} // namespace

/// The names of a volume's snapshots, newest first: the files that it stands on.
directory_store::names directory_store::history(const dataset_id& volume) const {
  names found;
  const auto prefix = volume.last_part() + '@';
  for (auto file = file_of(volume);;) {
    std::optional<qcow2_header> header;
    if (!volume.is_image())
      mistify::images::expect_no_link(file); // the snapshots of a disk do not go because its name leads elsewhere
    try {
      header = read_qcow2(file);
    } catch (const std::exception& e) {
      throw std::runtime_error{file.filename().string() + ": " + e.what()};
    }
    if (!header)
      throw std::runtime_error{file.filename().string() + ": not a qcow2 file"};
    auto behind = file_behind(file, *header);
    const auto name = behind.stem().string();
    if (header->backing.empty() || behind.parent_path() != file.parent_path() || !name.starts_with(prefix) ||
        found.size() > max_snapshots_)
      return found;
    file = std::move(behind);
    found.push_back(name.substr(prefix.size()));
  }
}

bool directory_store::has(const dataset_id& volume, const std::string& name) const {
  const auto all = history(volume);
  return std::find(all.begin(), all.end(), name) != all.end();
}

std::vector<dataset_id> directory_store::with_snapshot(const snapshot_id& id) const {
  auto volumes = volumes_of(id.of);
  std::erase_if(volumes, [&](const dataset_id& volume) { return !has(volume, id.name); });
  if (volumes.empty())
    throw std::runtime_error{"not found"};
  return volumes;
}

/// Of a guest: all of its disks. One that was made or had its snapshot removed since then could not go back with the others.
std::vector<dataset_id> directory_store::all_with_snapshot(const snapshot_id& id) const {
  auto volumes = with_snapshot(id);
  if (const auto lacking = without_snapshot(id); !lacking.empty())
    throw std::runtime_error{lacking.front() + " has no snapshot " + id.name + ": the guest's is not whole"};
  return volumes;
}

/// The guest's disks that do not have a snapshot.
directory_store::names directory_store::without_snapshot(const snapshot_id& id) const {
  names lacking;
  for (const auto& volume : volumes_of(id.of))
    if (!has(volume, id.name))
      lacking.push_back(volume.text());
  return lacking;
}

void directory_store::add_history(const dataset_id& volume, std::vector<snapshot_facts>& to) const {
  auto all = history(volume);
  std::reverse(all.begin(), all.end());
  for (auto& name : all) {
    snapshot_id id{volume, std::move(name)};
    const auto size = bytes_on_disk(file_of(id));
    to.push_back({std::move(id), size});
  }
}

/// Names of the snapshots that were taken of the whole guest, oldest first.
directory_store::names directory_store::marks_of(const dataset_id& guest) const {
  std::vector<std::pair<fs::file_time_type, std::string>> found;
  std::error_code none;
  for (fs::directory_iterator at{root_ / guest.text(), none}, end; at != end; at.increment(none))
    if (const auto name = at->path().filename().string(); name.starts_with('@'))
      found.emplace_back(at->last_write_time(none), name.substr(1));
  std::sort(found.begin(), found.end());
  names sorted;
  for (auto& [when, name] : found)
    sorted.push_back(std::move(name));
  return sorted;
}

/// A mark is none unless all disks have the snapshot.
void directory_store::add_marks(const dataset_id& guest, std::vector<snapshot_facts>& to) const {
  std::vector<snapshot_facts> of_disks;
  const auto disks = volumes_of(guest);
  for (const auto& disk : disks)
    add_history(disk, of_disks);
  for (const auto& name : marks_of(guest)) {
    std::uint64_t size = 0, count = 0;
    for (const auto& s : of_disks)
      if (s.id.name == name) {
        size += s.size;
        ++count;
      }
    if (count > 0 && count == disks.size())
      to.push_back({{guest, name}, size});
  }
}

std::vector<snapshot_facts> directory_store::snapshots(std::string_view of) const {
  std::vector<snapshot_facts> found;
  const auto below = std::string{of} + '/';
  std::optional<std::string> guest;
  for (const auto& volume : list(of.substr(0, of.rfind('/') + 1))) {
    const auto& text = volume.id.text();
    if (!of.empty() && text != of && !text.starts_with(below))
      continue;
    try {
      if (const auto owner = volume.id.guest(); owner && owner != guest && text != of) {
        guest = owner;
        add_marks(dataset_id::of_guest(*owner), found);
      }
    } catch (const std::exception& e) {
      rpc::log::warning("snapshots of a guest cannot be listed", {{"guest", *guest}, {"error", e.what()}});
    }
    try {
      add_history(volume.id, found);
    } catch (const std::exception& e) {
      if (text == of)
        throw;
      rpc::log::warning("snapshots of a disk cannot be listed", {{"disk", text}, {"error", e.what()}});
    }
  }
  return found;
}

} // namespace mistify::agents::storage
