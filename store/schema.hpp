#pragma once

#include "store/sqlite.hpp"

#include <span>

namespace mistify::store {

/// Marks a SQLite file as this agent's ("Mist"), so that no other program's file is ever taken for one.
inline constexpr std::int64_t application_id = 0x4d697374;

/// The SQL of every version of the schema, oldest first: number N brings version N-1 to N. Once released, a step is
/// never edited; a change is a new step.
std::span<const char* const> migrations() noexcept;

/// The version of the schema in the file; 0 for an empty file. Only reads. Throws `failure{storage_failed}` where the
/// file is another program's, of a newer schema, or is no database.
std::size_t schema_version(database& db);

/// Takes each step that the file has not seen, one transaction each: an interrupted migration goes on where it was.
void migrate(database& db, std::span<const char* const> steps = migrations());

} // namespace mistify::store
