#include "rpc/agents/storage/directory_store.hpp"
#include "rpc/agents/storage/qcow2.hpp"
#include "rpc/agents/storage/qemu_img.hpp"
#include "rpc/agents/storage/source_image.hpp"
#include "rpc/base/log.hpp"
#include "rpc/images/store_file.hpp"

#include <cerrno>
#include <fstream>
#include <mutex>
#include <stdexcept>
#include <system_error>

// Images in a folder, and the disks that stand on them.
namespace mistify::agents::storage {

namespace fs = std::filesystem;

namespace {

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

bool directory_store::is_needed(const path& image) const {
  std::error_code gone; // a folder may go meanwhile
  for (fs::recursive_directory_iterator at{root_, gone}, end; at != end; at.increment(gone))
    if (at->path().extension() == qcow2_ending && at->is_regular_file(gone) && stands_on(at->path(), image))
      return true;
  return false;
}

void directory_store::destroy_image(const dataset_id& id) {
  const std::unique_lock alone{images_};
  if (is_needed(file_of(id)))
    throw std::runtime_error{id.text() + " is in use: disks stand on it"};
  fs::remove(file_of(id));
  fs::remove(file_of(id).replace_extension(".origin"));
}

} // namespace mistify::agents::storage
