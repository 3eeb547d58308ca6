#pragma once

#include "rpc/model.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace mistify::agents {

/// The folders that disks, kernels and initrds of guests may be in. Clients name paths on this host, and a guest reads, and
/// its user comes to own, whatever it is given as a disk: it must not be /etc/shadow, or the host's own disk.
class media_folders {
public:
  /// Absolute paths with colons between them; "/" allows everything. Throws std::invalid_argument for others.
  explicit media_folders(const std::string& list);

  /// Throws std::invalid_argument that names the field unless all paths of the guest, whose defaults are settled, lead
  /// into one of the folders. Symbolic links in there are nobody's but the administrator's, and are trusted.
  void expect(const rpc::guest& g) const;

private:
  void expect(const std::string& path, const std::string& field) const;

  std::string list_;
  std::vector<std::filesystem::path> folders_;
};

} // namespace mistify::agents
