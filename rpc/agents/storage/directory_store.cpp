#include "rpc/agents/storage/directory_store.hpp"

#include "rpc/agents/storage/files.hpp"
#include "rpc/agents/storage/image_lock.hpp"
#include "rpc/agents/storage/qcow2.hpp"
#include "rpc/agents/storage/qemu_img.hpp"

#include <algorithm>
#include <mutex>
#include <stdexcept>
#include <sys/statvfs.h>
#include <system_error>

namespace mistify::agents::storage {

namespace fs = std::filesystem;

namespace {

constexpr auto ending = ".qcow2";

/// Machines run as other users, who have to reach their disks, and are to see nothing else.
void make_folder(const fs::path& folder) {
  if (fs::create_directories(folder))
    fs::permissions(folder, fs::perms::owner_all | fs::perms::group_exec | fs::perms::others_exec);
}

/// The volume of a file; nothing for snapshots and whatever else lies around.
std::optional<dataset_id> volume_at(const fs::path& file, const fs::path& root) {
  auto text = file.lexically_relative(root).string();
  if (!text.ends_with(ending) || text.find('@') != text.npos)
    return std::nullopt;
  try {
    return dataset_id::parse(text.substr(0, text.size() - std::string_view{ending}.size()));
  } catch (const std::invalid_argument&) {
    return std::nullopt;
  }
}

/// As it is written into a file's head: from the file's folder, so that the store can be moved as a whole. A slash comes
/// before any colon, which QEMU would take for the end of a protocol's name.
std::string backing_name(const fs::path& target, const fs::path& from_folder) {
  auto name = target.lexically_relative(from_folder).string();
  return name.starts_with("../") ? name : "./" + name;
}

} // namespace

directory_store::directory_store(const path& root, std::size_t max_snapshots)
  : root_{fs::absolute(root).lexically_normal()}, max_snapshots_{max_snapshots} {
  if (!root_.has_filename())
    root_ = root_.parent_path();
  staging_ = root_ / ".staging";
  make_folder(root_);
  for (const auto* folder : {"images", "guests"})
    make_folder(root_ / folder);
  fs::remove_all(staging_);
  make_folder(staging_);
  for (const auto& volume : list(""))
    settle(volume.id);
}

directory_store::path directory_store::file_of(const dataset_id& id) const {
  return root_ / (id.text() + ending);
}

directory_store::path directory_store::file_of(const snapshot_id& id) const {
  return root_ / (id.text() + ending);
}

directory_store::path directory_store::new_file() const {
  return staging_ / ("new-" + std::to_string(next_file_++) + ending);
}

std::optional<volume_facts> directory_store::find(const dataset_id& id) const {
  const auto file = file_of(id);
  if (!fs::exists(file))
    return std::nullopt;
  const auto header = read_qcow2(file);
  if (!header)
    throw std::runtime_error{id.text() + ": not a qcow2 file"};
  return volume_facts{id, header->size, file, "qcow2"};
}

std::vector<volume_facts> directory_store::list(std::string_view beginning) const {
  std::vector<volume_facts> found;
  const auto folder = root_ / beginning.substr(0, beginning.rfind('/') + 1);
  std::error_code none; // a folder that is not there, or goes meanwhile, has nothing in it
  for (fs::recursive_directory_iterator at{folder, none}, end; at != end; at.increment(none)) {
    if (at->path() == staging_)
      at.disable_recursion_pending();
    const auto id = volume_at(at->path(), root_);
    if (!id || !id->text().starts_with(beginning))
      continue;
    try {
      if (auto facts = find(*id))
        found.push_back(std::move(*facts));
    } catch (const std::exception&) {
      // One broken file does not hide the others; whoever asks for it by name is told.
    }
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  return found;
}

std::vector<dataset_id> directory_store::volumes_of(const dataset_id& id) const {
  if (!id.is_guest())
    return fs::exists(file_of(id)) ? std::vector{id} : std::vector<dataset_id>{};
  std::vector<dataset_id> disks;
  for (auto& disk : list(id.text() + '/'))
    disks.push_back(std::move(disk.id));
  return disks;
}

// -- making ----------------------------------------------------------------------------------------------------------

void directory_store::create(const dataset_id& id, std::uint64_t size) {
  const auto fresh = new_file(), file = file_of(id);
  qemu_img::create(fresh, size);
  make_folder(file.parent_path());
  publish(fresh, file);
}

void directory_store::clone(const dataset_id& image, const dataset_id& to, std::uint64_t size, clone_kind kind) {
  const std::shared_lock keep{images_};
  const auto source = find(image);
  if (!source)
    throw std::runtime_error{"not found"};
  const auto fresh = new_file(), file = file_of(to);
  if (kind == clone_kind::overlay) {
    qemu_img::create(fresh, size, backing_name(source->device, file.parent_path()));
  } else {
    qemu_img::convert(source->device, source->format, fresh);
    if (size > source->size)
      qemu_img::resize(fresh, size);
  }
  make_folder(file.parent_path());
  publish(fresh, file);
}

void directory_store::import_image(const path& file, const std::string& format, const dataset_id& id,
                                   const std::string& origin, const std::function<bool()>& stop) {
  const auto fresh = new_file();
  try {
    qemu_img::convert(file, format, fresh, stop);
    fs::remove(file);
    if (find(id))
      throw std::runtime_error{id.text() + " exists already"};
    write_whole(file_of(id).replace_extension(".origin"), origin);
    publish(fresh, file_of(id));
  } catch (...) {
    fs::remove(fresh);
    throw;
  }
}

std::string directory_store::origin_of(const dataset_id& image) const {
  return read_whole(file_of(image).replace_extension(".origin"));
}

// -- removing --------------------------------------------------------------------------------------------------------

bool directory_store::is_needed(const path& image) const {
  for (const auto& entry : fs::recursive_directory_iterator{root_}) {
    if (entry.path().extension() != ending)
      continue;
    const auto header = read_qcow2(entry.path());
    if (header && !header->backing.empty() && file_behind(entry.path(), *header) == image)
      return true;
  }
  return false;
}

void directory_store::destroy_volumes(const std::vector<dataset_id>& which) {
  std::vector<image_lock> held; // of all, before the first one goes
  for (const auto& volume : which)
    held.emplace_back(file_of(volume));
  for (const auto& volume : which) {
    fs::remove(file_of(volume));
    settle(volume);
  }
}

void directory_store::destroy(const dataset_id& id) {
  if (id.is_image()) {
    const std::unique_lock alone{images_};
    if (is_needed(file_of(id)))
      throw std::runtime_error{id.text() + " is in use: disks stand on it"};
    fs::remove(file_of(id));
    fs::remove(file_of(id).replace_extension(".origin"));
    return;
  }
  destroy_volumes(volumes_of(id));
  if (id.is_guest())
    fs::remove_all(root_ / id.text());
  else
    settle(id);
}

std::uint64_t directory_store::free_space() const {
  struct statvfs facts {};
  if (::statvfs(root_.c_str(), &facts) != 0)
    throw std::system_error{errno, std::generic_category(), root_.filename()};
  return std::uint64_t{facts.f_bavail} * facts.f_frsize;
}

} // namespace mistify::agents::storage
