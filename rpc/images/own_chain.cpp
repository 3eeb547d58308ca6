#include "rpc/images/own_chain.hpp"

#include <string>

namespace mistify::images {

namespace {

namespace fs = std::filesystem;

/// "disk-0" of "disk-0.qcow2" and of "disk-0@snapshot.qcow2".
std::string disk_name(const fs::path& file) {
  const auto stem = file.stem().string();
  return stem.substr(0, stem.find('@'));
}

bool is_snapshot(const fs::path& file) {
  return file.stem().string().find('@') != std::string::npos;
}

bool is_own_snapshot(const fs::path& disk, const fs::path& behind) {
  return behind.parent_path() == disk.parent_path() && is_snapshot(behind) && disk_name(behind) == disk_name(disk);
}

} // namespace

void expect_own_chain(const std::vector<chain_link>& chain, const fs::path& root) {
  const auto images = root / "images";
  const auto& disk = chain.front().path;
  for (std::size_t i = 1; i < chain.size(); ++i) {
    const auto& behind = chain[i].path;
    const bool is_base = i + 1 == chain.size() && behind.parent_path() == images && disk.parent_path() != images;
    if (!is_base && !is_own_snapshot(disk, behind))
      throw disk_refused{disk.filename().string() + ": stands on what is not its own: " + behind.filename().string()};
  }
}

} // namespace mistify::images
