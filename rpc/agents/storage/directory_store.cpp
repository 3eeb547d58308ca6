#include "rpc/agents/storage/directory_store.hpp"

#include "rpc/agents/storage/files.hpp"
#include "rpc/agents/storage/image_lock.hpp"
#include "rpc/agents/storage/qcow2.hpp"
#include "rpc/agents/storage/qemu_img.hpp"
#include "rpc/agents/storage/source_image.hpp"
#include "rpc/base/folder_lock.hpp"
#include "rpc/base/log.hpp"
#include "rpc/images/own_chain.hpp"
#include "rpc/images/store_file.hpp"

#include <algorithm>
#include <fstream>
#include <mutex>
#include <stdexcept>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <system_error>

namespace mistify::agents::storage {

namespace fs = std::filesystem;

namespace {

std::uint64_t bytes_in(const fs::path& file) {
  struct stat facts {};
  return ::stat(file.c_str(), &facts) == 0 ? static_cast<std::uint64_t>(facts.st_blocks) * 512 : 0;
}

/// The volume of a file; nothing for snapshots and whatever else lies around.
std::optional<dataset_id> volume_at(const fs::path& file, const fs::path& root) {
  auto text = file.lexically_relative(root).string();
  if (!text.ends_with(qcow2_ending) || text.find('@') != text.npos)
    return std::nullopt;
  try {
    return dataset_id::parse(text.substr(0, text.size() - std::string_view{qcow2_ending}.size()));
  } catch (const std::invalid_argument&) {
    return std::nullopt;
  }
}

/// The head of a disk, or what is wrong with it together with its name.
qcow2_header header_of(const fs::path& file, const std::string& name) {
  try {
    if (auto header = read_qcow2(file))
      return *std::move(header);
  } catch (const std::system_error&) {
    throw; // names the file
  } catch (const std::exception& e) {
    throw std::runtime_error{name + ": " + e.what()};
  }
  throw std::runtime_error{name + ": not a qcow2 file"};
}

} // namespace

directory_store::directory_store(const path& root, std::size_t max_snapshots, file_access access)
  : max_snapshots_{max_snapshots}, access_{access} {
  const bool empty = !fs::exists(root) || fs::is_empty(root);
  access_.make_folder(fs::absolute(root));
  root_ = fs::canonical(root);
  lock_ = rpc::lock_folder(root_); // before anything is swept: it may be what another one works on
  staging_ = root_ / ".staging";
  expect_one_file_system(root_);
  // A folder that has something else in it is not the store's to close.
  const bool ours = empty || fs::exists(root_ / "images");
  for (const auto* folder : {"images", "guests"})
    access_.make_folder(root_ / folder);
  fs::remove_all(staging_);
  access_.make_folder(staging_);
  if (ours)
    access_.tighten(root_);
  for (const auto& volume : list(""))
    try {
      settle(volume.id);
    } catch (const std::exception& e) {
      rpc::log::warning("a disk stays as it is", {{"disk", volume.id.text()}, {"error", e.what()}});
    }
}

directory_store::path directory_store::file_of(const dataset_id& id) const {
  return root_ / (id.text() + qcow2_ending);
}

directory_store::path directory_store::file_of(const snapshot_id& id) const {
  return root_ / (id.text() + qcow2_ending);
}

/// Gives a disk that is complete its name, with the folder for it.
void directory_store::put(const path& fresh, const path& as) const {
  access_.make_folder(as.parent_path());
  access_.set_disk(fresh, as.parent_path() == root_ / "images" ? file_access::kind::image : file_access::kind::disk);
  publish(fresh, as);
}

staged_file directory_store::new_file() const {
  return staged_file{staging_ / ("new-" + std::to_string(next_file_++) + qcow2_ending)};
}

std::optional<volume_facts> directory_store::find(const dataset_id& id) const {
  const auto file = file_of(id);
  if (!fs::exists(file))
    return std::nullopt;
  const auto header = header_of(file, id.text());
  return volume_facts{id, header.size, file, "qcow2"};
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
  std::vector<dataset_id> disks; // by their names: those that cannot be read are there as well
  std::error_code none;
  for (fs::directory_iterator at{root_ / id.text(), none}, end; at != end; at.increment(none))
    if (auto disk = volume_at(at->path(), root_); disk && fs::is_regular_file(at->symlink_status(none)))
      disks.push_back(std::move(*disk));
  std::sort(disks.begin(), disks.end());
  return disks;
}

/// Before QEMU opens a disk. Nobody writes to an image, so a link may be a second name of one.
void directory_store::expect_own_chain(const path& file) const {
  if (file.parent_path() != root_ / "images")
    mistify::images::expect_no_link(file);
  mistify::images::expect_own_chain(mistify::images::backing_chain(file, roots()), root_);
}

// -- making ----------------------------------------------------------------------------------------------------------

void directory_store::create(const dataset_id& id, std::uint64_t size) {
  const auto fresh = new_file();
  qemu_img::create(fresh.path(), size);
  put(fresh.path(), file_of(id));
}

/// QEMU lets nobody else write to a file that it has open; it makes the file larger itself.
bool directory_store::grow(const dataset_id& id, std::uint64_t size) {
  const auto file = file_of(id);
  try {
    const image_lock free{file};
  } catch (const std::system_error&) {
    throw;
  } catch (const std::runtime_error&) {
    return false;
  }
  expect_own_chain(file);
  qemu_img::resize(file, size);
  return true;
}

std::string directory_store::owner_of(const dataset_id& volume) const {
  return read_whole(file_of(volume).replace_extension(".guest"));
}

void directory_store::set_owner(const dataset_id& volume, const std::string& guest) {
  const auto file = file_of(volume).replace_extension(".guest");
  if (guest.empty())
    fs::remove(file);
  else
    write_whole(file, guest);
}

// -- removing --------------------------------------------------------------------------------------------------------

void directory_store::destroy_volumes(const std::vector<dataset_id>& which) {
  std::vector<image_lock> held; // of all, before the first one goes
  for (const auto& volume : which)
    held.emplace_back(file_of(volume));
  for (const auto& volume : which) {
    fs::remove(file_of(volume));
    fs::remove(file_of(volume).replace_extension(".guest"));
    settle(volume);
  }
}

void directory_store::destroy(const dataset_id& id) {
  if (id.is_image())
    return destroy_image(id);
  destroy_volumes(volumes_of(id));
  if (id.is_guest())
    fs::remove_all(root_ / id.text());
  else
    settle(id);
}

room_facts directory_store::measure_size() const {
  struct statvfs facts {};
  if (::statvfs(root_.c_str(), &facts) != 0)
    throw std::system_error{errno, std::generic_category(), root_.filename()};
  return {std::uint64_t{facts.f_blocks} * facts.f_frsize, std::uint64_t{facts.f_bavail} * facts.f_frsize, 0};
}

room_facts directory_store::measure_space() const {
  auto found = measure_size();
  for (const auto& volume : list(""))
    if (!volume.id.is_image())
      found.promised += volume.size - std::min(volume.size, bytes_in(volume.device));
  return found;
}

} // namespace mistify::agents::storage
