#include "rpc/agents/storage/zfs_rows.hpp"

#include <algorithm>
#include <cstdlib>

namespace mistify::agents::storage {

std::vector<std::pair<std::string, std::uint64_t>> rows_of(std::string_view text) {
  std::vector<std::pair<std::string, std::uint64_t>> rows;
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (const auto tab = line.find('\t'); tab != line.npos)
      rows.emplace_back(line.substr(0, tab), std::strtoull(std::string{line.substr(tab + 1)}.c_str(), nullptr, 10));
  }
  return rows;
}

} // namespace mistify::agents::storage
