#include "store/guest_merge.hpp"

#include "rpc/base/error.hpp"
#include "rpc/model/codec.hpp"
#include "rpc/model/exact_names.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

namespace mistify::store {

rpc::metadata_map merge_metadata(rpc::metadata_map returned, const rpc::metadata_map& sent,
                                 const rpc::metadata_map& stored) {
  for (const auto& [key, value] : stored)
    if (auto before = sent.find(key); before == sent.end() || before->second != value)
      returned[key] = value;
  for (const auto& [key, value] : sent)
    if (!stored.contains(key))
      returned.erase(key);
  return returned;
}

namespace {

/// Members that no sub-agent changes, whatever it returns: it may not even know them.
constexpr std::array<std::string_view, 3> own_members{"name", "labels", "power"};

bool has_own_members(std::string_view doc) {
  return std::ranges::any_of(
    own_members, [&](std::string_view name) { return doc.find('"' + std::string{name} + "\":") != doc.npos; });
}

void keep_own_members(rpc::guest& returned, const stored_guest& stored) {
  for (const auto name : own_members)
    returned.extra.erase(std::string{name});
  if (!has_own_members(stored.doc))
    return;
  auto before = rpc::decode_guest(stored.doc);
  for (const auto name : own_members)
    if (auto found = before.extra.extract(std::string{name}))
      returned.extra.insert(std::move(found));
}

} // namespace

guest_ptr merge_guest(const stored_guest& stored, std::string_view sent_doc, rpc::guest returned) {
  if (returned.id != stored.id)
    throw rpc::failure{rpc::errc::sub_agent_failed,
                       "returned guest '" + returned.id + "' in place of '" + stored.id + "'"};
  // A guest stored before this rule may be returned unchanged.
  if (const auto odd = rpc::find_inexact_name(returned); odd && !rpc::find_inexact_name(rpc::decode_guest(stored.doc)))
    throw rpc::failure{rpc::errc::sub_agent_failed,
                       "the sub-agent returned a guest with " + odd->path + " in place of " + odd->known};
  keep_own_members(returned, stored);
  // Usually nothing has changed meanwhile; then neither text has to be parsed.
  if (sent_doc != stored.doc) {
    const auto sent = rpc::decode_guest(sent_doc), now = rpc::decode_guest(stored.doc);
    returned.metadata = merge_metadata(std::move(returned.metadata), sent.metadata, now.metadata);
    // Unknown members are pairs of texts, too, and clients change them while a stage runs.
    returned.extra = merge_metadata(std::move(returned.extra), sent.extra, now.extra);
  }
  return to_stored(returned);
}

guest_ptr to_stored(const rpc::guest& guest) {
  return std::make_shared<const stored_guest>(stored_guest{guest.id, guest.type, rpc::encode(guest), facts_of(guest)});
}

} // namespace mistify::store
