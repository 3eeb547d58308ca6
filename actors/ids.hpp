#pragma once

#include <string>
#include <string_view>

namespace mistify::actors {

/// The runner of image jobs, and the GuestID of those jobs.
inline constexpr std::string_view agent_runner = "agent";

/// Returns a random UUID in lower case. Thread-safe.
std::string new_uuid();

/// Returns a UUID for a job that begins with the time (version 7 of RFC 9562), in lower case. Jobs queued or pruned
/// together are then neighbours in the index, and a commit writes a third fewer pages. Thread-safe.
std::string new_job_id();

/// True for the canonical form of a UUID, 8-4-4-4-12 hexadecimal digits in either case.
bool is_uuid(std::string_view text) noexcept;

} // namespace mistify::actors
