#pragma once

#include "rpc/model/model.hpp"
#include "store/guest_index.hpp"

#include <string_view>

namespace mistify::store {

/// Three-way merge of metadata: what a stage `returned`, with every key that clients changed between `sent` (what the
/// stage was given) and `stored` (what is there now) as the clients left it, deletions included.
rpc::metadata_map merge_metadata(rpc::metadata_map returned, const rpc::metadata_map& sent,
                                 const rpc::metadata_map& stored);

/// The guest that replaces `stored` once a stage that was given `sent_doc` returned `returned`.
/// Throws `failure{sub_agent_failed}` where it is another guest, or where a member of it has a known name in another case
/// and no member of `stored` does.
guest_ptr merge_guest(const stored_guest& stored, std::string_view sent_doc, rpc::guest returned);

/// As it is kept and published.
guest_ptr to_stored(const rpc::guest& guest);

} // namespace mistify::store
