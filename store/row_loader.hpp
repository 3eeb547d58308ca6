#pragma once

#include "store/guest_index.hpp"
#include "store/journal.hpp"
#include "store/sqlite.hpp"

#include <vector>

namespace mistify::store {

/// Reads all guests. Moves rows that are not valid guests, and jobs with an invalid status, to the table
/// `broken_rows` and calls `settings.warn` for each: one broken row must not keep the agent from its other guests.
std::vector<guest_ptr> load_guests(database& db, const journal_settings& settings);

} // namespace mistify::store
