#pragma once

#include "rpc/base/json.hpp"
#include "rpc/model/model.hpp"
#include "store/broken_rows.hpp"

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace mistify::store {

/// Collects the jobs of the original's logs. It kept a log as one array of jobs in one row: its last versions one for
/// all guests, oldest first; older ones one for each guest, newest first.
class legacy_jobs {
public:
  explicit legacy_jobs(std::vector<broken_row>& broken) : broken_{broken} {}

  /// Reads one such row. `guest_id` is whose jobs they are, empty for the log of all guests. A job whose id was read
  /// before, or that is none, goes to the broken rows; so does the whole row where it is no array.
  void read(const std::string& bucket, const std::string& key, std::string_view guest_id, const std::string& value);

  /// What was read, oldest first.
  std::vector<rpc::job> in_order() &&;

private:
  std::optional<rpc::job> read_entry(const rpc::json::node& entry, std::string_view guest_id, broken_row place);

  std::vector<broken_row>& broken_;
  std::vector<rpc::job> jobs_;
  std::set<std::string, std::less<>> ids_;
  std::size_t logs_ = 0; // that had jobs in them
};

} // namespace mistify::store
