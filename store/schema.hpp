#pragma once

#include "store/sqlite.hpp"

#include <span>

namespace mistify::store {

/// Marks a SQLite file as this agent's ("Mist"), so that another program's file is never mistaken for one.
inline constexpr std::int64_t application_id = 0x4d697374;

/// The SQL of every schema version, oldest first: step N migrates version N-1 to N. A released step is never edited;
/// a change is a new step.
std::span<const char* const> migrations() noexcept;

/// Returns the version of the schema in the file; 0 for an empty file. Only reads. Throws `failure{storage_failed}`
/// if the file is another program's, of a newer schema, or not a database.
std::size_t schema_version(database& db);

/// Applies each missing step in a transaction of its own: an interrupted migration resumes at its next step.
void migrate(database& db, std::span<const char* const> steps = migrations());

} // namespace mistify::store
