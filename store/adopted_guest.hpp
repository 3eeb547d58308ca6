#pragma once

#include "store/guest_index.hpp"
#include "store/guest_ledger.hpp"

#include <string_view>

/// Guests whose machines were there before the guest: their records follow from the machine, not from a client's wish.
namespace mistify::store {

bool adopts_guest(std::string_view action) noexcept;

/// Returns the guest that replaces `stored` after a stage of its adoption returned `returned`; see `merge_guest`. Its
/// member `adopted` is true. It has the returned name if the client gave none, the name is valid and no other guest has
/// it. It is wished on if it holds memory, else off; if `is_wished`, a later job's wish stays. Throws
/// `failure{sub_agent_conflict}` if a MAC address or the VNC port is another guest's, and what `merge_guest` throws.
guest_ptr merge_adopted(const guest_ledger& others, const stored_guest& stored, std::string_view sent_doc,
                        rpc::guest returned, bool is_wished);

} // namespace mistify::store
