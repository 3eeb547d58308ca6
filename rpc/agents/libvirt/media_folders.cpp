#include "rpc/agents/libvirt/media_folders.hpp"

#include <algorithm>
#include <sstream>
#include <stdexcept>

namespace mistify::agents {

namespace {

namespace fs = std::filesystem;

bool climbs(const fs::path& path) {
  return std::find(path.begin(), path.end(), "..") != path.end();
}

bool is_in(const fs::path& path, const fs::path& folder) {
  const auto [folder_end, path_rest] = std::mismatch(folder.begin(), folder.end(), path.begin(), path.end());
  return folder_end == folder.end() && path_rest != path.end();
}

} // namespace

media_folders::media_folders(const std::string& list) : list_{list} {
  std::istringstream names{list};
  for (std::string name; std::getline(names, name, ':');) {
    auto folder = fs::path{name}.lexically_normal();
    if (!folder.is_absolute())
      throw std::invalid_argument{"the folders of media must be absolute paths: " + list};
    if (!folder.has_filename() && folder.has_relative_path()) // "/a/" is {"/", "a", ""}
      folder = folder.parent_path();
    folders_.push_back(std::move(folder));
  }
}

void media_folders::expect(const rpc::guest& g) const {
  for (std::size_t i = 0; i < g.disks.size(); ++i)
    expect(g.disks[i].source, "disks[" + std::to_string(i) + "].source");
  for (const auto* key : {"boot.kernel", "boot.initrd"})
    if (const auto named = g.metadata.find(key); named != g.metadata.end())
      expect(named->second, "metadata." + named->first);
}

void media_folders::expect(const std::string& path, const std::string& field) const {
  const fs::path file{path};
  const auto holds = [&](const fs::path& folder) { return is_in(file.lexically_normal(), folder); };
  if (!file.is_absolute() || !file.has_filename() || climbs(file) ||
      std::none_of(folders_.begin(), folders_.end(), holds))
    throw std::invalid_argument{field + ": must be a path in " + list_};
}

} // namespace mistify::agents
