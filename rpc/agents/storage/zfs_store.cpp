#include "rpc/agents/storage/zfs_store.hpp"

#include "rpc/agents/storage/command.hpp"
#include "rpc/agents/storage/file_access.hpp"
#include "rpc/agents/storage/image_lock.hpp"
#include "rpc/agents/storage/pool_lock.hpp"
#include "rpc/agents/storage/qcow2.hpp"
#include "rpc/agents/storage/qemu_img.hpp"
#include "rpc/agents/storage/source_image.hpp"
#include "rpc/agents/storage/zfs_rows.hpp"
#include "rpc/base/folder_lock.hpp"
#include "rpc/fetch/units.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <stdexcept>
#include <thread>

namespace mistify::agents::storage {

namespace fs = std::filesystem;

namespace {

constexpr auto origin_property = "mistify:origin";
constexpr auto owner_property = "mistify:guest";
constexpr auto compression = "compression=lz4"; // as the original had it

bool says(const std::exception& e, std::string_view text) {
  return std::string_view{e.what()}.find(text) != std::string_view::npos;
}

bool is_absent(const std::exception& e) {
  return says(e, "does not exist") || says(e, "not applicable to datasets of this type") ||
         says(e, "could not find any snapshots");
}

std::string first_line(std::string text) {
  return text.substr(0, text.find('\n'));
}

/// udev makes the device some time after the zvol is there.
void wait_for_device(const fs::path& device) {
  for (int tries = 0; !fs::exists(device); ++tries) {
    if (tries == 100)
      throw std::runtime_error{device.string() + ": does not come up"};
    std::this_thread::sleep_for(std::chrono::milliseconds{100});
  }
}

/// Zvols are of whole blocks.
std::uint64_t rounded(std::uint64_t size) {
  return in_megabytes(size) * megabyte;
}

} // namespace

zfs_store::zfs_store(zfs_settings settings) : settings_{std::move(settings)}, prefix_{settings_.pool + '/'} {
  dataset_id::parse(settings_.pool);
  zfs({"list", "-H", "-o", "name", settings_.pool});
  settings_.access.make_folder(settings_.staging.parent_path()); // QEMU goes through it to the seeds
  folder_lock_ = rpc::lock_folder(settings_.staging.parent_path());
  pool_lock_ = lock_pool(settings_.locks, settings_.pool);
  zfs_if_there({"destroy", "-r", prefix_ + "-staging"});
  for (const auto* part : {"images", "guests", "-staging"})
    zfs({"create", "-p", "-o", "canmount=off", prefix_ + part});
  fs::remove_all(settings_.staging);
  file_access{}.make_folder(settings_.staging); // images on their way are nobody else's
}

std::string zfs_store::zfs(std::vector<std::string> arguments) const {
  arguments.insert(arguments.begin(), settings_.command);
  try {
    return run(arguments);
  } catch (const command_failed& e) {
    if (is_absent(e) && arguments[1] != "list")
      throw std::runtime_error{"not found"};
    throw;
  }
}

std::string zfs_store::zfs_if_there(std::vector<std::string> arguments) const {
  arguments.insert(arguments.begin(), settings_.command);
  try {
    return run(arguments);
  } catch (const command_failed& e) {
    if (is_absent(e))
      return {};
    throw;
  }
}

std::string zfs_store::new_dataset() {
  return prefix_ + "-staging/new-" + std::to_string(next_++);
}

fs::path zfs_store::device_of(const std::string& dataset) const {
  return settings_.devices / dataset;
}

volume_facts zfs_store::facts_of(const dataset_id& id, std::uint64_t size) const {
  return {id, size, device_of(full(id)), "raw", id.is_image() ? full(id) + base_snapshot : ""};
}

std::vector<mistify::images::store_root> zfs_store::roots() const {
  return {{settings_.devices / settings_.pool, settings_.block_devices}};
}

/// A zvol is raw, whatever a guest wrote to its begin, and has nothing behind it.
void zfs_store::expect_own_device(const std::string& device) const {
  mistify::images::backing_chain(device, mistify::images::disk_format::raw, roots());
}

std::optional<volume_facts> zfs_store::find(const dataset_id& id) const {
  const auto rows = rows_of(zfs_if_there({"list", "-H", "-p", "-t", "volume", "-o", "name,volsize", full(id)}));
  if (rows.empty())
    return std::nullopt;
  return facts_of(id, rows.front().second);
}

std::vector<volume_facts> zfs_store::list(std::string_view beginning) const {
  std::vector<volume_facts> found;
  auto top = prefix_ + std::string{beginning.substr(0, beginning.rfind('/') + 1)};
  top.pop_back();
  const auto text = zfs_if_there({"list", "-H", "-p", "-r", "-t", "volume", "-o", "name,volsize", top});
  for (const auto& [name, size] : rows_of(text)) {
    const auto id = std::string_view{name}.substr(prefix_.size());
    if (id.starts_with(beginning) && !id.starts_with('-'))
      try {
        found.push_back(facts_of(dataset_id::parse(id), size));
      } catch (const std::invalid_argument&) {
        // Somebody else's, with a name that this store would not give.
      }
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  return found;
}

std::vector<dataset_id> zfs_store::volumes_of(const dataset_id& id) const {
  std::vector<dataset_id> ids;
  if (id.is_guest())
    for (auto& disk : list(id.text() + '/'))
      ids.push_back(std::move(disk.id));
  else if (find(id))
    ids.push_back(id);
  return ids;
}

// -- making ----------------------------------------------------------------------------------------------------------

void zfs_store::create_parents(const std::string& dataset) const {
  if (const auto parent = dataset.substr(0, dataset.rfind('/')); parent != settings_.pool)
    zfs({"create", "-p", "-o", "canmount=off", parent});
}

void zfs_store::finish(const std::string& staged, const dataset_id& as) const {
  create_parents(full(as));
  zfs({"rename", staged, full(as)});
}

void zfs_store::give_up(const std::string& staged) const noexcept {
  try {
    zfs_if_there({"destroy", "-r", staged});
  } catch (const std::exception&) {
    // The next start sweeps it.
  }
}

void zfs_store::create(const dataset_id& id, std::uint64_t size) {
  create_parents(full(id));
  zfs({"create", "-o", compression, "-V", std::to_string(rounded(size)), full(id)});
}

/// The kernel changes the size of a zvol that is open, too.
bool zfs_store::grow(const dataset_id& id, std::uint64_t size) {
  zfs({"set", "volsize=" + std::to_string(rounded(size)), full(id)});
  return true;
}

void zfs_store::clone(const dataset_id& image, const dataset_id& to, std::uint64_t size, clone_kind kind) {
  const auto source = find(image);
  if (!source)
    throw std::runtime_error{"not found"};
  const auto staged = new_dataset();
  try {
    if (kind == clone_kind::overlay) {
      zfs({"clone", "-o", compression, source->snapshot, staged});
      if (size > source->size)
        zfs({"set", "volsize=" + std::to_string(rounded(size)), staged});
    } else {
      zfs({"create", "-o", compression, "-V", std::to_string(rounded(size)), staged});
      wait_for_device(device_of(staged));
      expect_own_device(source->device);
      expect_own_device(device_of(staged));
      qemu_img::write_device(source->device, "raw", device_of(staged));
    }
    finish(staged, to);
  } catch (...) {
    give_up(staged);
    throw;
  }
}

/// Makes a volume of a disk, with the snapshot that clones are made of.
void zfs_store::convert(const fs::path& file, const std::string& format, const std::string& staged,
                        const std::string& property, const std::function<bool()>& stop) {
  zfs({"create", "-o", compression, "-o", property, "-V", std::to_string(rounded(size_of_disk(file, format))), staged});
  wait_for_device(device_of(staged));
  expect_own_device(device_of(staged));
  qemu_img::write_device(file, format, device_of(staged), stop);
  zfs({"snapshot", staged + base_snapshot});
}

void zfs_store::import_image(const fs::path& file, const std::string& format, const dataset_id& id,
                             const std::string& origin, const std::function<bool()>& stop) {
  const auto staged = new_dataset();
  const auto property = std::string{origin_property} + '=' + origin;
  const bool is_stream = format == "zfs"; // its size is known once it is received
  if (!is_stream)
    expect_sound_source(file, format, stop);
  const auto space = space_.take(rounded(is_stream ? fs::file_size(file) : size_of_disk(file, format)));
  try {
    if (is_stream)
      receive(file, staged, property, stop);
    else
      convert(file, format, staged, property, stop);
    fs::remove(file);
    finish(staged, id);
  } catch (...) {
    give_up(staged);
    throw;
  }
}

std::string zfs_store::origin_of(const dataset_id& image) const {
  return property_of(image, origin_property);
}

std::string zfs_store::property_of(const dataset_id& id, const char* property) const {
  const auto value = first_line(zfs_if_there({"get", "-H", "-o", "value", property, full(id)}));
  return value == "-" ? "" : value;
}

std::string zfs_store::owner_of(const dataset_id& volume) const {
  return property_of(volume, owner_property);
}

void zfs_store::set_owner(const dataset_id& volume, const std::string& guest) {
  if (guest.empty())
    zfs_if_there({"set", std::string{owner_property} + "=-", full(volume)});
  else
    zfs({"set", std::string{owner_property} + '=' + guest, full(volume)});
}

void zfs_store::destroy(const dataset_id& id) {
  std::vector<image_lock> held;
  for (const auto& volume : volumes_of(id))
    held.emplace_back(device_of(full(volume)));
  held.clear(); // ZFS wants them closed, and refuses what is opened meanwhile
  zfs_if_there({"destroy", "-r", full(id)});
}

/// Volumes that are no clones have their whole size set aside by ZFS, which counts as used.
room_facts zfs_store::measure_size() const {
  room_facts found;
  const auto number = [&](const char* property) {
    return std::strtoull(zfs({"get", "-H", "-p", "-o", "value", property, settings_.pool}).c_str(), nullptr, 10);
  };
  found.free = number("available");
  found.total = found.free + number("used");
  return found;
}

room_facts zfs_store::measure_space() const {
  auto found = measure_size();
  std::map<std::string, std::uint64_t> used;
  const auto rows = [&](const char* columns) {
    return rows_of(zfs_if_there({"list", "-H", "-p", "-r", "-t", "volume", "-o", columns, settings_.pool}));
  };
  for (const auto& [name, bytes] : rows("name,used"))
    used[name] = bytes;
  for (const auto& [name, size] : rows("name,volsize"))
    found.promised += size - std::min(size, used[name]);
  return found;
}

} // namespace mistify::agents::storage
