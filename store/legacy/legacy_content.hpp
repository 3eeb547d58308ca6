#pragma once

#include "rpc/model/model.hpp"
#include "store/broken_rows.hpp"
#include "store/guest_index.hpp"
#include "store/sqlite.hpp"

#include <string>
#include <vector>

namespace mistify::store {

/// What a database of the original agent holds, in this agent's terms.
struct legacy_content {
  std::vector<guest_ptr> guests;
  rpc::metadata_map metadata; ///< the hypervisor's
  std::vector<rpc::job> jobs; ///< oldest first; some may not have ended
  std::vector<broken_row> broken;
  std::vector<std::string> remarks; ///< for the log
};

/// Whether the database has the original's table: `mistify_agent(key, bucket, value)`. Throws
/// `failure{storage_failed}` where it cannot be read at all.
bool has_legacy_layout(database& db);

/// Reads everything. What cannot be used is among the broken rows. Throws `failure{storage_failed}`.
legacy_content read_legacy(database& db);

} // namespace mistify::store
