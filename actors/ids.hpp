#pragma once

#include <string>
#include <string_view>

namespace mistify::actors {

/// The runner that image jobs run on, and the GuestID of those jobs.
inline constexpr std::string_view agent_runner = "agent";

/// A new random UUID, lower case. Thread-safe.
std::string new_uuid();

/// A new UUID that begins with the time (version 7 of RFC 9562), lower case: those of jobs. Jobs that are queued and that
/// leave the log together stand together in its index then, and a commit writes a third less pages. Thread-safe.
std::string new_job_id();

/// True for the canonical form of a UUID, 8-4-4-4-12 hexadecimal digits in either case.
bool is_uuid(std::string_view text) noexcept;

} // namespace mistify::actors
