#pragma once

#include "rpc/model/model.hpp"
#include "store/broken_rows.hpp"
#include "store/guest_index.hpp"
#include "store/sqlite.hpp"

#include <string>
#include <vector>

namespace mistify::store {

/// The content of a database of the original agent, in this agent's types.
struct legacy_content {
  std::vector<guest_ptr> guests;
  rpc::metadata_map metadata; ///< the hypervisor's
  std::vector<rpc::job> jobs; ///< oldest first; some may be unfinished
  std::vector<broken_row> broken;
  std::vector<std::string> remarks; ///< for the log
};

/// True if the database has the original's table, `mistify_agent(key, bucket, value)`. Throws
/// `failure{storage_failed}` if it cannot be read.
bool has_legacy_layout(database& db);

/// Reads everything. Unusable rows are returned in `broken`. Throws `failure{storage_failed}`.
legacy_content read_legacy(database& db);

} // namespace mistify::store
