#pragma once

#include "store/admission.hpp"
#include "store/guest_ledger.hpp"

#include <optional>
#include <string>
#include <string_view>

/// The wishes of jobs that change a guest: JSON objects of clients, kept with the job and sent to its stages as `params`.
///   update        members of the guest (RFC 7396)
///   attachDisk    the disk            attachNic   the nic
///   detachDisk    {"disk","device"}   detachNic   {"nic","name","mac"}
///   resizeDisk    {"disk","device","size"}
/// Each may have `apply`, which is no part of the guest.
namespace mistify::store {

/// "containerUpdate" is "update" too; empty for an action that changes no guest.
std::string_view change_of(std::string_view action) noexcept;

/// True for members of an update that its stages have to bring about; the others only the agent keeps.
bool needs_stage(std::string_view member) noexcept;

/// Returns by how much the guest grows; null if it does not. The wish has been checked when it was queued.
std::optional<growth> growth_by(const stored_guest& guest, std::string_view action, std::string_view wish);

/// What the job takes from the host, and from other guests, until it is in the guest's record; null: nothing. Growth of a
/// guest that is off is allocated, too: a start that is queued behind it is judged by the new size.
std::optional<reservation> reservation_of(const stored_guest& guest, std::string_view action, std::string_view wish);

} // namespace mistify::store
