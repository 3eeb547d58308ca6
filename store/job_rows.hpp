#pragma once

#include "rpc/model/model.hpp"
#include "store/sqlite.hpp"

#include <cstdint>
#include <string>

/// What the statements about the table `jobs` have in common.
namespace mistify::store {

/// Jobs of the guest ?1. The index has only eight characters of an id: ones that differ between UUIDs of every
/// version, even if created at one time or on one host. (Without the plus the planner substitutes ?1 for `guest` and
/// finds no index.)
inline const std::string jobs_by_guest = "jobs INDEXED BY jobs_of_guest";
inline const std::string of_guest =
  "substr(guest, 5, 4) || substr(guest, 33, 4) = substr(?1, 5, 4) || substr(?1, 33, 4) AND +guest = ?1";

/// The columns that `read_job` reads, in order.
inline const std::string job_columns =
  "id, guest, action, status, queued_at, started_at, updated_at, message, code, stages, progress, request_id, user";

rpc::job read_job(const query& row);

template <class Enum>
std::int64_t number(Enum value) noexcept {
  return static_cast<std::int64_t>(value);
}

} // namespace mistify::store
