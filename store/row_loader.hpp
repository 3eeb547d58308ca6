#pragma once

#include "store/guest_index.hpp"
#include "store/journal.hpp"
#include "store/sqlite.hpp"

#include <vector>

namespace mistify::store {

/// Reads all guests. Rows that are no guest, and jobs with a status that is none, move to the table `broken_rows`, and
/// `settings.warn` is told of each: one broken row must not keep the agent from its other guests.
std::vector<guest_ptr> load_guests(database& db, const journal_settings& settings);

} // namespace mistify::store
