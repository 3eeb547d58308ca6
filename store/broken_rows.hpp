#pragma once

#include "rpc/model/model.hpp"
#include "store/sqlite.hpp"

#include <string>
#include <vector>

namespace mistify::store {

/// A row that cannot be used: its table, its key and content, and the reason.
struct broken_row {
  std::string source, key, value, reason;
};

/// For the log: "guests 'x': id: must be a string".
std::string describe(const broken_row& row);

/// Inserts the rows into the table `broken_rows`, for people to inspect, inside the caller's transaction. Throws
/// `failure{storage_failed}`.
void keep_aside(database& db, const std::vector<broken_row>& rows, rpc::timestamp now);

} // namespace mistify::store
