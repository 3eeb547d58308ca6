#include "store/guest_merge.hpp"

#include "rpc/base/cut_text.hpp"
#include "rpc/base/error.hpp"
#include "rpc/model/codec.hpp"
#include "rpc/model/exact_names.hpp"
#include "rpc/model/power.hpp"

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace mistify::store {

namespace {

/// Members that no sub-agent changes, whatever it returns: it may not even know them.
constexpr std::array<std::string_view, 6> own_members{"name",        "labels",     "power",
                                                      "on_io_error", "cloud_init", "adopted"};

void keep_own(rpc::guest& returned, const rpc::guest& stored) {
  returned.wanted = stored.wanted;
  for (const auto name : own_members) {
    if (const auto left = returned.extra.find(name); left != returned.extra.end())
      returned.extra.erase(left);
    if (const auto kept = stored.extra.find(name); kept != stored.extra.end())
      returned.extra.insert(*kept);
  }
}

/// The texts of a sub-agent get into events, logs, metrics and the keys of a cluster.
void bound(std::string& text) {
  rpc::drop_controls(text);
  rpc::shorten_text(text, rpc::longest_state_reason);
}

void settle_state(rpc::guest& returned, const rpc::guest& sent) {
  bound(returned.state);
  bound(returned.state_reason);
  const bool stays_off = rpc::is_off(sent.state) && rpc::is_off(returned.state);
  if (returned.state != sent.state && returned.state_reason == sent.state_reason && !stays_off)
    returned.state_reason.clear();
}

} // namespace

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

guest_ptr merge_guest(const stored_guest& stored, std::string_view sent_doc, rpc::guest returned) {
  if (returned.id != stored.id)
    throw rpc::failure{rpc::errc::sub_agent_failed,
                       "returned guest '" + returned.id + "' in place of '" + stored.id + "'"};
  // A guest stored before this rule may be returned unchanged.
  if (const auto odd = rpc::find_inexact_name(returned); odd && !rpc::find_inexact_name(rpc::decode_guest(stored.doc)))
    throw rpc::failure{rpc::errc::sub_agent_failed,
                       "the sub-agent returned a guest with " + odd->path + " in place of " + odd->known};
  const auto known = rpc::decode_guest(stored.doc);
  // Usually nothing has changed meanwhile; then the text that was sent has not to be parsed.
  const auto sent = sent_doc == stored.doc ? std::optional<rpc::guest>{} : rpc::decode_guest(sent_doc);
  if (sent) {
    returned.metadata = merge_metadata(std::move(returned.metadata), sent->metadata, known.metadata);
    // Unknown members are pairs of texts, too, and clients change them while a stage runs.
    returned.extra = merge_metadata(std::move(returned.extra), sent->extra, known.extra);
  }
  keep_own(returned, known);
  settle_state(returned, sent ? *sent : known);
  if (returned == known) // most stages change nothing: the text has not to be written anew
    return std::make_shared<const stored_guest>(stored);
  return to_stored(returned);
}

guest_ptr with_state(const stored_guest& stored, const std::string& state, const std::string& reason) {
  auto guest = rpc::decode_guest(stored.doc);
  guest.state = state;
  guest.state_reason = reason;
  return to_stored(guest);
}

guest_ptr with_wish(const stored_guest& stored, const std::string& wanted) {
  auto guest = rpc::decode_guest(stored.doc);
  guest.wanted = wanted;
  return to_stored(guest);
}

guest_ptr to_stored(const rpc::guest& guest) {
  return std::make_shared<const stored_guest>(stored_guest{guest.id, guest.type, rpc::encode(guest), facts_of(guest)});
}

} // namespace mistify::store
