#include "store/broken_rows.hpp"

#include "store/jobs.hpp"

namespace mistify::store {

std::string describe(const broken_row& row) {
  return row.source + " '" + row.key + "': " + row.reason;
}

void keep_aside(database& db, const std::vector<broken_row>& rows, rpc::timestamp now) {
  statement keep{db, "INSERT INTO broken_rows (source, key, value, reason, at) VALUES (?, ?, ?, ?, ?)"};
  for (const auto& row : rows)
    keep.run(row.source, row.key, row.value, row.reason, to_column(now));
}

} // namespace mistify::store
