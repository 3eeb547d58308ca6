#pragma once

#include "store/host_board.hpp"
#include "store/sqlite.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace mistify::store {

/// The writer's view of the table `host`: facts about the host that outlast the agent, by key. Throws
/// `failure{storage_failed}`.
class host_table {
public:
  explicit host_table(const database& db);

  std::optional<std::string> find(std::string_view key);
  void put(std::string_view key, std::string_view value);
  void erase(std::string_view key);

  /// Off if there is none.
  store::maintenance maintenance();
  void put(const store::maintenance& now);

private:
  statement find_, put_, erase_;
};

} // namespace mistify::store
