#include "rpc/agents/storage/directory_store.hpp"
#include "rpc/agents/storage/disk_stream.hpp"
#include "rpc/agents/storage/files.hpp"
#include "rpc/agents/storage/image_lock.hpp"
#include "rpc/agents/storage/qcow2.hpp"
#include "rpc/agents/storage/qemu_img.hpp"

#include <algorithm>
#include <stdexcept>

// Snapshots of disks in a folder: taken, removed, gone back to, read.
namespace mistify::agents::storage {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t bytes_of_tables = 1024 * 1024; // of an empty qcow2 file, and more

/// Those of a list of names that are newer than one, the first being the newest.
std::vector<std::string> newer_than(const std::string& name, const std::vector<std::string>& newest_first) {
  return {newest_first.begin(), std::find(newest_first.begin(), newest_first.end(), name)};
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& name : names)
    text += (text.empty() ? "" : ", ") + name;
  return text;
}

byte_stream text_stream(const std::string& text) {
  return {static_cast<std::int64_t>(text.size()), [text](const byte_stream::sink& write) { return write(text); }};
}

std::string beside(const fs::path& file) {
  return "./" + file.filename().string();
}

} // namespace

/// Removes what a killed process left of a volume's snapshots: the disk's own file under a second name, and files that the
/// disk does not stand on. Throws, and removes nothing, where the disk's files cannot be read.
void directory_store::settle(const dataset_id& volume) const {
  const auto file = file_of(volume);
  const bool there = fs::exists(file);
  const auto known = there ? history(volume) : names{};
  const auto prefix = volume.last_part() + '@';
  std::vector<path> leftover;
  std::error_code none;
  for (fs::directory_iterator at{file.parent_path(), none}, end; at != end; at.increment(none)) {
    const auto stem = at->path().stem().string();
    if (at->path().extension() != qcow2_ending || !stem.starts_with(prefix))
      continue;
    if (std::find(known.begin(), known.end(), stem.substr(prefix.size())) == known.end())
      leftover.push_back(at->path());
  }
  for (const auto& f : leftover)
    fs::remove(f);
}

// -- taking ----------------------------------------------------------------------------------------------------------

void directory_store::snapshot(const snapshot_id& id) {
  struct step {
    path active, frozen;
    staged_file fresh;
  };
  std::vector<step> steps;
  std::vector<image_lock> held;
  const auto volumes = volumes_of(id.of);
  if (volumes.empty())
    throw std::runtime_error{"not found"};
  for (const auto& volume : volumes) {
    settle(volume);
    const auto before = history(volume);
    if (std::find(before.begin(), before.end(), id.name) != before.end())
      throw std::runtime_error{volume.text() + '@' + id.name + " exists already"};
    if (before.size() >= max_snapshots_)
      throw std::runtime_error{volume.text() + " has " + std::to_string(before.size()) +
                               " snapshots, the most there can be"};
    steps.push_back({file_of(volume), file_of(snapshot_id{volume, id.name}), new_file()});
    held.emplace_back(steps.back().active);
  }
  for (const auto& s : steps)
    expect_own_chain(s.active);
  const auto space = space_.take(steps.size() * bytes_of_tables);
  for (const auto& s : steps)
    qemu_img::create(s.fresh.path(), read_qcow2(s.active)->size, beside(s.frozen));
  for (const auto& s : steps)
    fs::create_hard_link(s.active, s.frozen); // from here on, what is not finished is settled by the next who comes
  if (id.of.is_guest())
    write_whole(root_ / id.of.text() / ('@' + id.name), "");
  for (const auto& s : steps) {
    access_.set_disk(s.fresh.path(), file_access::kind::disk);
    replace(s.fresh.path(), s.active);
    access_.set_disk(s.frozen, file_access::kind::snapshot);
  }
}

// -- removing --------------------------------------------------------------------------------------------------------

/// What stands on the snapshot is put on what the snapshot stands on.
void directory_store::destroy_one(const snapshot_id& id) {
  const auto newer = newer_than(id.name, history(id.of));
  const auto above = newer.empty() ? file_of(id.of) : file_of(snapshot_id{id.of, newer.back()});
  const auto file = file_of(id);
  expect_own_chain(above);
  qemu_img::rebase(above, read_qcow2(file)->backing);
  fs::remove(file);
}

void directory_store::destroy_snapshot(const snapshot_id& id, bool recursive) {
  if (!id.of.is_guest() || recursive)
    for (const auto& volume : with_snapshot(id)) {
      settle(volume);
      destroy_one({volume, id.name});
    }
  if (id.of.is_guest())
    fs::remove(root_ / id.of.text() / ('@' + id.name));
}

// -- going back ------------------------------------------------------------------------------------------------------

void directory_store::expect_newest(const dataset_id& volume, const std::string& name) const {
  if (const auto newer = newer_than(name, history(volume)); !newer.empty())
    throw std::runtime_error{"more recent snapshots of " + volume.text() + " exist: " + joined(newer)};
}

/// All disks are prepared before the first one changes: what is refused, or fails, leaves the guest as it was.
void directory_store::rollback(const snapshot_id& id, bool destroy_more_recent) {
  struct step {
    dataset_id volume;
    staged_file fresh;
  };
  std::vector<step> steps;
  std::vector<image_lock> held;
  for (const auto& volume : all_with_snapshot(id)) {
    if (!destroy_more_recent)
      expect_newest(volume, id.name);
    expect_own_chain(file_of(snapshot_id{volume, id.name}));
    held.emplace_back(file_of(volume));
    steps.push_back({volume, new_file()});
  }
  const auto space = space_.take(steps.size() * bytes_of_tables);
  for (const auto& s : steps) {
    const auto frozen = file_of(snapshot_id{s.volume, id.name});
    qemu_img::create(s.fresh.path(), read_qcow2(frozen)->size, beside(frozen));
    access_.set_disk(s.fresh.path(), file_access::kind::disk);
  }
  for (const auto& s : steps)
    replace(s.fresh.path(), file_of(s.volume));
  for (const auto& s : steps)
    settle(s.volume);
}

// -- reading ---------------------------------------------------------------------------------------------------------

byte_stream directory_store::open_snapshot(const snapshot_id& id, stream_format format) const {
  const auto stream_of = [&](const dataset_id& volume) {
    const auto file = file_of(snapshot_id{volume, id.name});
    expect_own_chain(file);
    qcow2_chain disk{file};
    return format == stream_format::raw ? raw_stream(std::move(disk)) : qcow2_stream(std::move(disk));
  };
  const auto volumes = with_snapshot(id);
  if (!id.of.is_guest())
    return stream_of(volumes.front());
  if (!fs::exists(root_ / id.of.text() / ('@' + id.name)))
    throw std::runtime_error{"not found"};
  std::vector<std::pair<std::string, byte_stream>> files;
  for (const auto& volume : volumes)
    files.emplace_back(volume.last_part() + (format == stream_format::raw ? ".raw" : ".qcow2"), stream_of(volume));
  if (const auto lacking = without_snapshot(id); !lacking.empty())
    files.emplace_back("INCOMPLETE.txt", text_stream("without " + id.name + ": " + joined(lacking) + '\n'));
  return tar_stream(std::move(files));
}

} // namespace mistify::agents::storage
