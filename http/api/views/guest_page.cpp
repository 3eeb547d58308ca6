#include "http/api/views/guest_page.hpp"

#include "http/access/visibility.hpp"
#include "http/api/views/public_guest.hpp"
#include "rpc/base/json.hpp"
#include "rpc/model/members.hpp"

#include <algorithm>
#include <array>

namespace mistify::http {

namespace {

constexpr std::array<std::string_view, 17> guest_fields{
  "id",       "type", "image",  "nics",  "disks",      "state",        "memory", "cpu",        "vnc",
  "metadata", "name", "labels", "power", "cloud_init", "state_reason", "wanted", "on_io_error"};

bool is_wanted(const store::guest_facts& facts, const guest_query& query) {
  if ((query.name && facts.name != *query.name) || (query.state && facts.state != *query.state))
    return false;
  return std::ranges::all_of(query.labels, [&](const auto& wanted) {
    const auto found = facts.labels.find(wanted.first);
    return found != facts.labels.end() && found->second == wanted.second;
  });
}

std::string text_of(const store::stored_guest& guest, const guest_query& query) {
  auto text = public_guest(guest.doc);
  return query.fields.empty() ? text : pick_fields(text, query.fields);
}

} // namespace

bool is_guest_field(std::string_view name) noexcept {
  return std::ranges::find(guest_fields, name) != guest_fields.end();
}

std::string pick_fields(std::string_view doc, const std::vector<std::string>& fields) {
  rpc::json::writer out;
  out.begin_object();
  rpc::for_each_member(doc, [&](std::string_view name, std::string_view value) {
    if (std::ranges::find(fields, name) != fields.end())
      out.key(name).raw(value);
  });
  out.end_object();
  return std::move(out).str();
}

/// The index is left alone while the texts are written: changes wait for readers.
guest_page make_guest_page(const store::guest_index& guests, const guest_query& query, const principal& who) {
  std::vector<store::guest_ptr> found;
  bool more = false;
  guests.visit_after(query.after, [&](const store::guest_ptr& guest) {
    if (!is_wanted(guest->facts, query) || !sees(who, *guest))
      return true;
    more = query.limit && found.size() == *query.limit;
    if (!more)
      found.push_back(guest);
    return !more;
  });
  guest_page page;
  rpc::json::writer out;
  out.begin_array();
  for (const auto& guest : found)
    out.raw(text_of(*guest, query));
  out.end_array();
  page.body = std::move(out).str();
  if (more)
    page.next = found.back()->id;
  return page;
}

} // namespace mistify::http
