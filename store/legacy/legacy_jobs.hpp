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

/// Collects the jobs of the original's logs. Each log is an array of jobs in one row: one row for all guests, oldest
/// first, in the last versions; one row for each guest, newest first, in older ones.
class legacy_jobs {
public:
  explicit legacy_jobs(std::vector<broken_row>& broken) : broken_{broken} {}

  /// Reads one row. `guest_id` is the guest of its jobs, empty for the log of all guests. Adds invalid jobs, and jobs
  /// with an id already read, to the broken rows; adds the whole row if it is not an array.
  void read(const std::string& bucket, const std::string& key, std::string_view guest_id, const std::string& value);

  /// Returns the jobs, oldest first.
  std::vector<rpc::job> in_order() &&;

private:
  std::optional<rpc::job> read_entry(const rpc::json::node& entry, std::string_view guest_id, broken_row place);

  std::vector<broken_row>& broken_;
  std::vector<rpc::job> jobs_;
  std::set<std::string, std::less<>> ids_;
  std::size_t logs_ = 0; // number of logs that contained jobs
};

} // namespace mistify::store
