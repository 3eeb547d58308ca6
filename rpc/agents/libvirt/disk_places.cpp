#include "rpc/agents/libvirt/disk_places.hpp"

#include "rpc/agents/libvirt/volume_name.hpp"
#include "rpc/images/own_chain.hpp"

#include <algorithm>
#include <sstream>
#include <stdexcept>
#include <sys/stat.h>
#include <unistd.h>

namespace mistify::agents {

namespace {

namespace fs = std::filesystem;
using images::disk_format;
using images::disk_refused;

constexpr const char* qcow2_ending = ".qcow2";
constexpr const char* seed_folder = "seeds";

/// True for the folder itself too.
bool is_within(const fs::path& folder, const fs::path& file) {
  const auto [folder_end, file_rest] = std::mismatch(folder.begin(), folder.end(), file.begin(), file.end());
  return folder_end == folder.end();
}

/// Without symbolic links, as far as the path exists, and without a slash at the end.
fs::path real(const fs::path& path) {
  std::error_code failed;
  auto resolved = fs::weakly_canonical(path, failed);
  if (failed)
    resolved = path.lexically_normal();
  return resolved.has_filename() || !resolved.has_relative_path() ? resolved : resolved.parent_path();
}

/// Where a device's name stands, so that it keeps the name; a file's place without symbolic links.
fs::path where(const fs::path& file, bool devices) {
  return devices ? real(file.parent_path()) / file.filename() : real(file);
}

bool is_pool(const std::string& name) {
  return !name.empty() && name.front() != '.' && owner_of_volume(name, "") == volume_owner::nobody;
}

/// mistify-storage makes this folder before anything else. Only one of root, of this process, or of whoever has the
/// folder counts.
bool keeps_a_store(const fs::path& folder) {
  struct stat facts {};
  struct stat above {};
  return ::lstat((folder / ".staging").c_str(), &facts) == 0 && S_ISDIR(facts.st_mode) &&
         ::lstat(folder.c_str(), &above) == 0 &&
         (facts.st_uid == 0 || facts.st_uid == ::geteuid() || facts.st_uid == above.st_uid);
}

void expect_plain(const std::string& path) {
  if (path.empty() || path.front() != '/')
    throw disk_refused{"must be an absolute path"};
  if (!images::is_plain_text(path))
    throw disk_refused{"has control characters"};
}

[[noreturn]] void refuse_owner(volume_owner whose) {
  switch (whose) {
  case volume_owner::another: throw disk_refused{"is another guest's disk"};
  case volume_owner::image: throw disk_refused{"is an image, and images are no disks"};
  default: throw disk_refused{"is no volume of the store"};
  }
}

template <class F>
auto naming(const std::string& field, F f) {
  try {
    return f();
  } catch (const disk_refused& e) {
    throw std::invalid_argument{field + ": " + e.what()};
  }
}

} // namespace

disk_places::disk_places(const place_settings& settings) : media_list_{settings.media} {
  const bool are_named = !settings.stores.empty();
  for (const auto& name : are_named ? settings.stores : std::vector<std::string>{default_store})
    add_store(name, settings.zvols);
  add_media(settings.media);
  expect_apart(are_named);
}

void disk_places::add_store(const std::string& name, const fs::path& zvols) {
  const fs::path folder{name};
  if (folder.is_absolute() && images::is_plain_text(name) && folder.lexically_normal().has_relative_path())
    stores_.push_back({{folder.lexically_normal(), false}, ""});
  else if (is_pool(name))
    stores_.push_back({{zvols / name, true}, name + '/'});
  else
    throw std::invalid_argument{"a store must be an absolute folder or a ZFS pool: " + name};
}

void disk_places::add_media(const std::string& list) {
  std::istringstream names{list};
  for (std::string name; std::getline(names, name, ':');) {
    if (!fs::path{name}.is_absolute() || !images::is_plain_text(name))
      throw std::invalid_argument{"the folders of media must be absolute paths: " + list};
    media_.push_back({fs::path{name}.lexically_normal(), false});
  }
}

/// The default store counts only where it is there: nobody asked for it.
void disk_places::expect_apart(bool stores_were_named) const {
  for (const auto& m : media_)
    for (const auto& s : stores_) {
      std::error_code none;
      const auto media = real(m.folder), kept = real(s.root.folder);
      if ((stores_were_named || fs::exists(s.root.folder, none)) && (is_within(media, kept) || is_within(kept, media)))
        throw std::invalid_argument{"media must not lie in a store, or a store in media: " + m.folder.string() + ", " +
                                    s.root.folder.string()};
    }
}

std::optional<disk_places::store> disk_places::store_of(const fs::path& file) const {
  for (const auto& s : stores_)
    if (is_within(real(s.root.folder), where(file, s.root.devices)))
      return s;
  return store_below_media(real(file));
}

std::optional<disk_places::store> disk_places::store_below_media(const fs::path& file) const {
  for (const auto& m : media_) {
    const auto media = real(m.folder);
    for (auto folder = file.parent_path(); is_within(media, folder); folder = folder.parent_path()) {
      if (keeps_a_store(folder))
        return store{{folder, false}, ""};
      if (folder == media)
        break;
    }
  }
  return std::nullopt;
}

placed_disk disk_places::in_store(const store& from, const std::string& source, const std::string& guest) const {
  auto name = where(source, from.root.devices).lexically_relative(real(from.root.folder));
  if (!from.root.devices && name.extension() == qcow2_ending)
    name.replace_extension();
  else if (!from.root.devices)
    refuse_owner(volume_owner::store);
  const auto whose = owner_of_volume(name.native(), guest);
  if (whose != volume_owner::guest && whose != volume_owner::nobody)
    refuse_owner(whose);
  placed_disk found{images::backing_chain(source, {from.root})};
  images::expect_own_chain(found.chain, real(from.root.folder));
  found.volume = from.prefix + name.string();
  found.is_shared = whose == volume_owner::nobody;
  return found;
}

placed_disk disk_places::in_media(const std::string& source) const {
  const auto format = source.ends_with(qcow2_ending) ? disk_format::qcow2 : disk_format::raw;
  placed_disk found{images::backing_chain(source, format, media_)};
  for (const auto& file : found.chain)
    if (store_of(file.path))
      throw disk_refused{"does not lie in a folder of --media alone"};
  found.read_only = true;
  return found;
}

placed_disk disk_places::find(const std::string& source, const std::string& guest, const std::string& field) const {
  return naming(field, [&] {
    expect_plain(source);
    if (const auto from = store_of(source))
      return in_store(*from, source, guest);
    if (media_.empty())
      throw disk_refused{"must be a volume of the store (see --store)"};
    return in_media(source);
  });
}

placed_disk disk_places::find(const rpc::disk& disk, const std::string& guest, const std::string& field) const {
  auto found = find(disk.source, guest, field + ".source");
  if (!found.read_only && disk.volume != found.volume)
    throw std::invalid_argument{field + ".source: a path alone is no disk: ask for a size, an image or a volume"};
  return found;
}

std::vector<images::store_root> disk_places::seed_folders() const {
  std::vector<images::store_root> found;
  for (const auto& s : stores_)
    if (!s.root.devices)
      found.push_back({s.root.folder / seed_folder, false});
  if (found.empty())
    found.push_back({fs::path{default_store} / seed_folder, false});
  return found;
}

std::optional<placed_disk> disk_places::find_seed(const std::string& guest) const {
  for (const auto& root : seed_folders()) {
    const auto file = root.folder / (guest + ".iso");
    std::error_code none;
    if (fs::symlink_status(file, none).type() == fs::file_type::not_found)
      continue;
    return naming("cloud_init", [&] {
      placed_disk found{images::backing_chain(file, disk_format::raw, {root})};
      found.read_only = true;
      return found;
    });
  }
  return std::nullopt;
}

bool disk_places::is_seed(const std::string& path, const std::string& guest) const {
  return std::ranges::any_of(seed_folders(), [&](const images::store_root& root) {
    return where(path, false) == where(root.folder / (guest + ".iso"), false);
  });
}

std::string disk_places::find_media(const std::string& path, const std::string& field) const {
  return naming(field, [&] {
    expect_plain(path);
    if (media_.empty() || store_of(path))
      throw disk_refused{"must be a file in a folder of --media"};
    return images::open_in_store(path, media_).path.string();
  });
}

} // namespace mistify::agents
