#include "store/adopted_guest.hpp"

#include "rpc/base/error.hpp"
#include "rpc/base/json.hpp"
#include "rpc/model/codec.hpp"
#include "rpc/model/guest_names.hpp"
#include "rpc/model/unmanaged.hpp"
#include "store/admission.hpp"
#include "store/guest_facts.hpp"
#include "store/guest_merge.hpp"

#include <string>

namespace mistify::store {

namespace {

constexpr const char* name_member = "name";

/// The JSON text of the name; empty if there is none that a guest may have.
std::string name_in(const rpc::guest& returned) {
  const auto found = returned.extra.find(name_member);
  if (found == returned.extra.end())
    return {};
  try {
    rpc::expect_valid_name(rpc::json::document::parse(found->second).root());
    return found->second;
  } catch (const rpc::failure&) { // most domains have a name that guests may have too
    return {};
  }
}

bool is_free(const guest_ledger& others, const std::string& name, std::string_view id) {
  return !others.holder_of_name(rpc::json::document::parse(name).root().as_string(name_member), id);
}

void expect_alone(const guest_ledger& others, const stored_guest& guest) {
  try {
    expect_unique(others, guest.facts, guest.id);
  } catch (const rpc::failure& e) {
    throw rpc::failure{rpc::errc::sub_agent_conflict, e.message()};
  }
}

} // namespace

bool adopts_guest(std::string_view action) noexcept {
  return action == "adopt";
}

guest_ptr merge_adopted(const guest_ledger& others, const stored_guest& stored, std::string_view sent_doc,
                        rpc::guest returned, bool is_wished) {
  const auto name = name_in(returned);
  auto adopted = rpc::decode_guest(merge_guest(stored, sent_doc, std::move(returned))->doc);
  adopted.extra[rpc::adopted_member] = "true";
  if (!adopted.extra.contains(name_member) && !name.empty() && is_free(others, name, stored.id))
    adopted.extra[name_member] = name;
  if (!is_wished)
    adopted.wanted = holds_memory(adopted.state) ? "on" : "off";
  auto merged = to_stored(adopted);
  expect_alone(others, *merged);
  return merged;
}

} // namespace mistify::store
