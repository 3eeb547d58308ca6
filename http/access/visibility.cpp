#include "http/access/visibility.hpp"

#include "rpc/base/json.hpp"

#include <algorithm>

namespace mistify::http {

namespace {

bool has_label(const store::stored_guest& guest, const std::pair<std::string, std::string>& wanted) {
  const auto document = rpc::json::document::parse(guest.doc);
  const auto* labels = document.root().find("labels");
  const auto* value = labels ? labels->find(wanted.first) : nullptr;
  return value && value->type() == rpc::json::node::kind::string && value->as_string("labels") == wanted.second;
}

bool names(const actors::guest_selector& selector, std::string_view id) {
  return std::ranges::binary_search(selector.ids, id);
}

} // namespace

bool sees(const principal& who, const store::stored_guest& guest) {
  if (!who.guests)
    return true;
  return who.guests->label ? has_label(guest, *who.guests->label) : names(*who.guests, guest.id);
}

bool sees_guest(const principal& who, const store::guest_index& guests, std::string_view id) {
  if (!who.guests)
    return true;
  if (const auto guest = guests.find(id))
    return sees(who, *guest);
  return !who.guests->label && names(*who.guests, id);
}

bool sees_as(const principal& who, std::string_view id, const rpc::metadata_map* labels) {
  if (!who.guests)
    return true;
  if (!who.guests->label)
    return names(*who.guests, id);
  if (!labels)
    return false;
  const auto found = labels->find(who.guests->label->first);
  return found != labels->end() && found->second == who.guests->label->second;
}

} // namespace mistify::http
