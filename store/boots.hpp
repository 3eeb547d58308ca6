#pragma once

#include "store/sqlite.hpp"

#include <set>
#include <string>
#include <string_view>

namespace mistify::store {

/// The writer's view of the tables `boots` and `boot_starts`: which boot of the host the agent has seen, and which guests
/// it still has to start because of it. Throws `failure{storage_failed}`.
class boot_table {
public:
  explicit boot_table(const database& db);

  std::string id(); ///< empty before the first
  void put(std::string_view id);

  std::set<std::string, std::less<>> starts();
  void add_start(std::string_view guest);
  void drop_start(std::string_view guest);
  void drop_starts();

private:
  statement id_, clear_, put_, starts_, add_start_, drop_start_, drop_starts_;
};

} // namespace mistify::store
