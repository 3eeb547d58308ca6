#pragma once

#include "rpc/model/model.hpp"
#include "store/guest_index.hpp"

#include <string_view>

namespace mistify::store {

/// Three-way merge of metadata, or of members with their texts: starts from `returned`, a stage's result, and applies
/// every change that clients made between `sent` (the stage's input) and `stored` (the current metadata), deletions
/// included.
rpc::metadata_map merge_metadata(rpc::metadata_map returned, const rpc::metadata_map& sent,
                                 const rpc::metadata_map& stored);

/// Returns the guest that replaces `stored` after a stage with the input `sent_doc` returned `returned`. Metadata and
/// unknown members that clients changed meanwhile are as they left them. Members that are the agent's to say (`wanted`,
/// `name`, `labels`, `power`, `on_io_error`, `cloud_init`, `adopted`) stay as stored: an old sub-agent may have left
/// them out. A reason that was sent does not explain another state, unless the guest was off and still is. Throws
/// `failure{sub_agent_failed}` if the id differs, or if a member has a known name in another case and no member of
/// `stored` has.
guest_ptr merge_guest(const stored_guest& stored, std::string_view sent_doc, rpc::guest returned);

/// The guest in another state.
guest_ptr with_state(const stored_guest& stored, const std::string& state, const std::string& reason = {});

/// The guest, wished to be "on" or "off".
guest_ptr with_wish(const stored_guest& stored, const std::string& wanted);

/// Encodes a guest as it is stored and published.
guest_ptr to_stored(const rpc::guest& guest);

} // namespace mistify::store
