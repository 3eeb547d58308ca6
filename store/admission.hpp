#pragma once

#include "store/guest_facts.hpp"
#include "store/guest_ledger.hpp"

#include <optional>
#include <string_view>

/// Which guests may be created and started beside those that are there. Every refusal is a `failure{conflict}` whose
/// message has the numbers.
namespace mistify::store {

/// Messages do not say which guest: the client may not know of it. Throws if the name, a MAC address or the VNC port of
/// the guest is another guest's, or an address is in it twice.
void expect_unique(const guest_ledger& in, const guest_facts& guest, std::string_view id);

/// A new guest: its memory and processors alone, its disks beside those of all guests.
void expect_room_for(const guest_ledger& in, const guest_facts& guest, const host_limits& limits);

/// A start: memory and processors beside those of all guests that run.
void expect_room_to_run(const guest_ledger& in, const stored_guest& guest, const host_limits& limits);

/// Growth of a guest by so much: memory and processors count only where it runs.
struct growth {
  std::uint64_t memory = 0, cpu = 0, disk = 0;
};
void expect_room_to_grow(const guest_ledger& in, const stored_guest& guest, const growth& by,
                         const host_limits& limits);

/// True for actions that make the machine of a new guest.
bool creates_guest(std::string_view action) noexcept;

/// True for actions after which a guest that is off runs: a resume starts one that hibernates.
bool starts_guest(std::string_view action) noexcept;

/// True for those of them that maintenance refuses.
bool is_start(std::string_view action) noexcept;

} // namespace mistify::store
