#include "rpc/agents/storage/file_access.hpp"

#include "rpc/base/log.hpp"
#include "rpc/base/unique_fd.hpp"

#include <array>
#include <atomic>
#include <fcntl.h>
#include <grp.h>
#include <set>
#include <stdexcept>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace mistify::agents::storage {

namespace fs = std::filesystem;

namespace {

std::optional<gid_t> group_named(const std::string& name) {
  std::array<char, 16384> room;
  group entry{}, *found = nullptr;
  if (::getgrnam_r(name.c_str(), &entry, room.data(), room.size(), &found) != 0 || !found)
    return std::nullopt;
  return found->gr_gid;
}

struct stat facts_of(const fs::path& path) {
  struct stat facts {};
  if (::lstat(path.c_str(), &facts) != 0)
    throw std::system_error{errno, std::generic_category(), path.filename()};
  return facts;
}

bool give_to(int fd, gid_t group, const fs::path& path) noexcept {
  if (::fchown(fd, static_cast<uid_t>(-1), group) == 0)
    return true;
  const std::error_code why{errno, std::generic_category()};
  static std::atomic_flag told; // once: every other file has the same trouble
  if (!told.test_and_set())
    try {
      rpc::log::warning("files cannot be given to the group of QEMU, which may be unable to open its disks",
                        {{"group", std::to_string(group)}, {"file", path.string()}, {"error", why.message()}});
    } catch (const std::exception&) {
      // Without memory for a line there is none.
    }
  return false;
}

/// Of a file's path from the store's folder.
file_access::kind kind_of(const fs::path& within) {
  if (*within.begin() == "images")
    return file_access::kind::image;
  return within.filename().string().find('@') == std::string::npos ? file_access::kind::disk
                                                                   : file_access::kind::snapshot;
}

} // namespace

/// Of the store's own folders: everything. Elsewhere: volumes and what lies beside them.
bool is_of_store(const fs::path& within) {
  const auto top = *within.begin(), ending = within.extension();
  return top == "images" || top == "guests" || top == "seeds" || top == ".staging" || ending == ".qcow2" ||
         ending == ".guest";
}

bool is_seed(const fs::path& within) {
  return *within.begin() == "seeds" && within.extension() == ".iso";
}

file_access file_access::of_group(const std::string& name) {
  if (name.empty()) {
    for (const auto* usual : {"mistify-disks", "libvirt-qemu", "qemu"})
      if (const auto found = group_named(usual))
        return file_access{found};
    return file_access{};
  }
  const auto group = group_named(name);
  if (!group)
    throw std::invalid_argument{"--qemu-group: no such group: " + name};
  return file_access{group};
}

void file_access::apply_umask() const noexcept {
  ::umask(group_ ? 027 : 077);
}

void file_access::set(const fs::path& path, mode_t alone, mode_t with_group) const noexcept {
  const rpc::unique_fd fd{::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC)};
  struct stat facts {};
  if (!fd || ::fstat(fd.get(), &facts) != 0 || !(S_ISREG(facts.st_mode) || S_ISDIR(facts.st_mode)))
    return;
  constexpr mode_t others = 07, all = 07777;
  auto mode = facts.st_mode & all & ~others;
  if (facts.st_uid == ::geteuid())
    mode = group_ && give_to(fd.get(), *group_, path) ? with_group : alone;
  if (mode != (facts.st_mode & all))
    static_cast<void>(::fchmod(fd.get(), mode));
}

void file_access::set_folder(const fs::path& folder) const noexcept {
  set(folder, 0700, 02750);
}

void file_access::set_disk(const fs::path& file, kind what) const noexcept {
  switch (what) {
  case kind::disk: return set(file, 0600, 0660);
  case kind::snapshot: return set(file, 0600, 0640);
  case kind::image: return set(file, 0400, 0440);
  }
}

void file_access::make_folder(const fs::path& folder) const {
  std::vector<fs::path> missing;
  for (auto part = folder; !part.empty() && !fs::exists(part) && part.has_filename(); part = part.parent_path())
    missing.push_back(part);
  fs::create_directories(folder);
  for (const auto& made : missing)
    set_folder(made);
}

void file_access::tighten(const fs::path& root) const {
  std::set<fs::path> folders{root / "images", root / "guests", root};
  std::error_code none;
  for (fs::recursive_directory_iterator at{root, none}, end; at != end; at.increment(none)) {
    const auto within = at->path().lexically_relative(root);
    if (!is_of_store(within))
      continue;
    const auto name = at->path().filename().string();
    if (at->is_directory(none))
      set_folder(at->path());
    else if (name.ends_with(".qcow2"))
      set_disk(at->path(), kind_of(within));
    else if (is_seed(within))
      set_disk(at->path(), kind::image);
    else
      set(at->path(), 0600, 0600);
    for (auto above = at->path().parent_path(); folders.insert(above).second; above = above.parent_path())
      set_folder(above);
  }
  for (const auto& folder : {root / "images", root / "guests", root})
    set_folder(folder);
}

void expect_one_file_system(const fs::path& root) {
  const auto device = facts_of(root).st_dev;
  std::error_code none;
  for (fs::recursive_directory_iterator at{root, none}, end; at != end; at.increment(none)) {
    const auto name = at->path().lexically_relative(root).string();
    if (at->is_symlink(none) && at->is_directory(none))
      throw std::runtime_error{name + ": is a symbolic link; the store's folders have to lie in " + root.string()};
    if (!at->is_symlink(none) && at->is_directory(none) && facts_of(at->path()).st_dev != device)
      throw std::runtime_error{name + ": lies on another file system than " + root.string()};
  }
}

} // namespace mistify::agents::storage
