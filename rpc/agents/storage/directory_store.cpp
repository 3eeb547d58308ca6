#include "rpc/agents/storage/directory_store.hpp"

#include "rpc/agents/storage/files.hpp"
#include "rpc/agents/storage/image_lock.hpp"
#include "rpc/agents/storage/qcow2.hpp"
#include "rpc/agents/storage/qemu_img.hpp"
#include "rpc/agents/storage/source_image.hpp"
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

constexpr auto ending = ".qcow2";

std::uint64_t bytes_in(const fs::path& file) {
  struct stat facts {};
  return ::stat(file.c_str(), &facts) == 0 ? static_cast<std::uint64_t>(facts.st_blocks) * 512 : 0;
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

/// True if the name stands in the first cluster of a file, where the name of a backing file has to be.
bool mentions(const fs::path& disk, const std::string& name) {
  std::string head(64 * 1024, '\0');
  std::ifstream in{disk, std::ios::binary};
  in.read(head.data(), static_cast<std::streamsize>(head.size()));
  return head.find(name) != head.npos;
}

/// A file that is no sound disk stands on what its head mentions, and holds up nobody who asks about others.
bool stands_on(const fs::path& disk, const fs::path& image) {
  try {
    const auto header = read_qcow2(disk);
    return header && !header->backing.empty() && file_behind(disk, *header) == image;
  } catch (const std::system_error& e) {
    if (e.code().value() == ENOENT) // it went meanwhile
      return false;
    throw;
  } catch (const std::exception& e) {
    rpc::log::warning("a disk cannot be read", {{"file", disk.filename().string()}, {"error", e.what()}});
    return mentions(disk, image.filename().string());
  }
}

/// As it is written into a file's head: from the file's folder, so that the store can be moved as a whole. A slash comes
/// before any colon, which QEMU would take for the end of a protocol's name.
std::string backing_name(const fs::path& target, const fs::path& from_folder) {
  auto name = target.lexically_relative(from_folder).string();
  return name.starts_with("../") ? name : "./" + name;
}

} // namespace

directory_store::directory_store(const path& root, std::size_t max_snapshots, file_access access)
  : max_snapshots_{max_snapshots}, access_{access} {
  const bool empty = !fs::exists(root) || fs::is_empty(root);
  access_.make_folder(fs::absolute(root));
  root_ = fs::canonical(root);
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
  return root_ / (id.text() + ending);
}

directory_store::path directory_store::file_of(const snapshot_id& id) const {
  return root_ / (id.text() + ending);
}

/// Gives a disk that is complete its name, with the folder for it.
void directory_store::put(const path& fresh, const path& as) const {
  access_.make_folder(as.parent_path());
  access_.set_disk(fresh, as.parent_path() == root_ / "images" ? file_access::kind::image : file_access::kind::disk);
  publish(fresh, as);
}

staged_file directory_store::new_file() const {
  return staged_file{staging_ / ("new-" + std::to_string(next_file_++) + ending)};
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

void directory_store::clone(const dataset_id& image, const dataset_id& to, std::uint64_t size, clone_kind kind) {
  const std::shared_lock keep{images_};
  const auto source = find(image);
  if (!source)
    throw std::runtime_error{"not found"};
  expect_own_chain(source->device);
  const auto fresh = new_file();
  const auto file = file_of(to);
  if (kind == clone_kind::overlay) {
    qemu_img::create(fresh.path(), size, backing_name(source->device, file.parent_path()));
  } else {
    qemu_img::convert(source->device, source->format, fresh.path(), source->size);
    if (size > source->size)
      qemu_img::resize(fresh.path(), size);
  }
  put(fresh.path(), file);
}

void directory_store::import_image(const path& file, const std::string& format, const dataset_id& id,
                                   const std::string& origin, const std::function<bool()>& stop) {
  const auto fresh = new_file();
  if (fs::exists(file_of(id)))
    throw std::runtime_error{id.text() + " exists already"};
  expect_sound_source(file, format, stop);
  const auto space = space_.take(qemu_img::measure(file, format, stop));
  qemu_img::convert(file, format, fresh.path(), size_of_disk(file, format), stop);
  fs::remove(file);
  write_whole(file_of(id).replace_extension(".origin"), origin);
  put(fresh.path(), file_of(id));
}

std::string directory_store::origin_of(const dataset_id& image) const {
  return read_whole(file_of(image).replace_extension(".origin"));
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

bool directory_store::is_needed(const path& image) const {
  std::error_code gone; // a folder may go meanwhile
  for (fs::recursive_directory_iterator at{root_, gone}, end; at != end; at.increment(gone))
    if (at->path().extension() == ending && at->is_regular_file(gone) && stands_on(at->path(), image))
      return true;
  return false;
}

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
