#include "http/api/handlers/guest_wishes.hpp"

#include "http/api/handlers/common.hpp"
#include "rpc/base/distinct_members.hpp"
#include "rpc/base/json.hpp"
#include "rpc/model/apply.hpp"
#include "rpc/model/codec.hpp"
#include "rpc/model/exact_names.hpp"
#include "rpc/model/guest_names.hpp"
#include "rpc/model/merge_patch.hpp"
#include "rpc/model/power.hpp"
#include "store/guest_wish.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <map>
#include <optional>

namespace mistify::http::handlers {

using rpc::errc;
using rpc::failure;
using rpc::json::node;

namespace {

[[noreturn]] void refuse(const std::string& why) {
  throw failure{errc::invalid_request, why};
}

/// Members of a guest that have another way to change, or none.
std::string_view way_to_change(std::string_view member) {
  if (member == "metadata")
    return "is changed by PATCH /guests/{id}/metadata";
  if (member == "disks" || member == "nics")
    return "is changed by POST and DELETE /guests/{id}/disks and /guests/{id}/nics";
  constexpr std::array<std::string_view, 11> fixed{"id",         "type",         "image",  "state", "next_disk", "vnc",
                                                   "cloud_init", "state_reason", "wanted", "start", "adopted"};
  return std::ranges::find(fixed, member) == fixed.end() ? "" : "cannot be changed";
}

void expect_size(const node& patch, std::string_view member) {
  if (const auto* value = patch.find(member); value && (value->is_null() || value->as_uint(member) == 0))
    refuse(std::string{member} + ": must be 1 or more");
}

/// The body as the only element of a list of a guest, so that the guest's own rules read it.
rpc::guest guest_with(const char* list, const std::string& body) {
  const auto document = rpc::json::document::parse(body);
  std::map<std::string_view, const rpc::json::node*> members; // the last of a name counts
  for (const auto& [key, value] : document.root().members("body"))
    members[key] = &value;
  rpc::json::writer out;
  out.begin_object().key(list).begin_array().begin_object();
  for (const auto& [key, value] : members)
    if (key != "apply")
      out.key(key).raw(value->text());
  out.end_object().end_array().end_object();
  auto only = rpc::decode_guest(out.str());
  rpc::expect_exact_names(only);
  expect_no_controls(only);
  return only;
}

std::optional<std::size_t> number_of(std::string_view text) {
  std::size_t number = 0;
  const auto [rest, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  return fault == std::errc{} && rest == text.data() + text.size() ? std::optional{number} : std::nullopt;
}

/// The N of "…/disk-N"; null for any other volume.
std::optional<std::size_t> number_of_volume(std::string_view volume) {
  constexpr std::string_view mark = "/disk-";
  const auto at = volume.rfind(mark);
  return at == volume.npos ? std::nullopt : number_of(volume.substr(at + mark.size()));
}

struct found_disk {
  const rpc::disk& disk;
  std::size_t place, number;
};

/// Devices and numbers of volumes count before places, which another disk may have as its number.
found_disk require_disk(const rpc::guest& guest, std::string_view name) {
  const auto wanted = number_of(name);
  const auto find = [&](auto&& matches) -> std::optional<found_disk> {
    for (std::size_t i = 0; i < guest.disks.size(); ++i)
      if (matches(guest.disks[i], i))
        return found_disk{guest.disks[i], i, number_of_volume(guest.disks[i].volume).value_or(i)};
    return std::nullopt;
  };
  const auto by_name = find([&](const rpc::disk& disk, std::size_t) {
    return disk.device == name || (wanted && number_of_volume(disk.volume) == wanted);
  });
  const auto found = by_name || !wanted ? by_name : find([&](const rpc::disk& disk, std::size_t i) {
    return i == *wanted && !number_of_volume(disk.volume);
  });
  if (!found)
    throw failure{errc::not_found, "not found"};
  return *found;
}

rpc::json::writer begin_disk_wish(const found_disk& found) {
  rpc::json::writer out;
  out.begin_object().key("disk").value(std::uint64_t{found.number}).key("device").value(found.disk.device);
  return out;
}

/// Beyond it, sums of sizes could wrap around.
constexpr std::uint64_t largest_disk = std::uint64_t{64} * 1024 * 1024; // 64 TiB in MB

} // namespace

std::string compact(std::string_view body) {
  const auto document = rpc::json::document::parse(body);
  if (document.root().type() != node::kind::object)
    refuse("body: must be an object");
  return document.root().text();
}

guest_wish wish_to_patch(const rpc::guest& guest, const std::string& body) {
  const auto patch = rpc::json::document::parse(body);
  guest_wish wish{body, false, false};
  for (const auto& [key, value] : patch.root().members("body")) {
    if (const auto way = way_to_change(key); !way.empty())
      refuse(std::string{key} + ": " + std::string{way});
    wish.needs_stages = wish.needs_stages || store::needs_stage(key);
  }
  rpc::apply_in(patch.root());
  expect_size(patch.root(), "memory");
  expect_size(patch.root(), "cpu");
  wish.grows = wish.needs_stages;
  const auto before = rpc::json::document::parse(rpc::encode(guest));
  const auto after = rpc::decode_guest(
    rpc::merge_patch(before.root(), patch.root(), [](std::string_view member) { return member != "apply"; }));
  rpc::expect_valid_names(after);
  if (patch.root().find("power") || patch.root().find("on_io_error")) // a guest of before these rules can be changed
    rpc::expect_power(after);
  if (!rpc::find_inexact_name(guest)) // as above
    rpc::expect_exact_names(after);
  return wish;
}

guest_wish wish_to_attach_disk(const std::string& body) {
  const auto wish = rpc::json::document::parse(body);
  rpc::apply_in(wish.root());
  const auto disk = guest_with("disks", body).disks.at(0);
  if (disk.size > largest_disk)
    refuse("size: is more than 64 TiB");
  if (disk.size == 0 && disk.image.empty() && disk.volume.empty() && disk.source.empty())
    refuse("size: a disk needs a size, an image, a volume or a source");
  return {body, true, disk.size > 0};
}

guest_wish wish_to_detach_disk(const rpc::guest& guest, std::string_view disk, bool delete_volume,
                               const std::string& apply) {
  const auto found = require_disk(guest, disk);
  if (found.place == 0)
    throw failure{errc::conflict, "the guest boots from this disk"};
  auto out = begin_disk_wish(found);
  if (delete_volume)
    out.key("delete").value(true);
  if (!apply.empty())
    out.key("apply").value(apply);
  out.end_object();
  return {std::move(out).str()};
}

guest_wish wish_to_resize_disk(const rpc::guest& guest, std::string_view disk, const std::string& body) {
  const auto wish = rpc::json::document::parse(body);
  rpc::json::expect_distinct_members(wish.root());
  for (const auto& [key, value] : wish.root().members("body"))
    if (key != "size" && key != "apply")
      refuse(std::string{key} + ": no such member");
  rpc::apply_in(wish.root());
  const auto* size = wish.root().find("size");
  const auto wanted = size ? size->as_uint("size") : 0;
  if (wanted == 0 || wanted > largest_disk)
    refuse("size: must be from 1 MB to 64 TiB");
  const auto found = require_disk(guest, disk);
  if (wanted < found.disk.size)
    throw failure{errc::conflict,
                  "size: the disk has " + std::to_string(found.disk.size) + " MB, and disks never become smaller"};
  auto out = begin_disk_wish(found);
  out.key("size").value(wanted);
  if (const auto* apply = wish.root().find("apply"))
    out.key("apply").raw(apply->text());
  out.end_object();
  return {std::move(out).str(), true, true};
}

guest_wish wish_to_attach_nic(const std::string& body) {
  const auto wish = rpc::json::document::parse(body);
  rpc::apply_in(wish.root());
  guest_with("nics", body);
  return {body, true, false};
}

/// Name and address go with the place, which another detach may change before this one's turn.
guest_wish wish_to_detach_nic(const rpc::guest& guest, std::string_view nic, const std::string& apply) {
  auto found = std::ranges::find_if(guest.nics, [&](const rpc::nic& one) { return one.name == nic; });
  if (const auto place = number_of(nic); found == guest.nics.end() && place && *place < guest.nics.size())
    found = guest.nics.begin() + static_cast<std::ptrdiff_t>(*place);
  if (found == guest.nics.end())
    throw failure{errc::not_found, "not found"};
  rpc::json::writer out;
  out.begin_object().key("nic").value(static_cast<std::uint64_t>(found - guest.nics.begin()));
  if (!found->name.empty())
    out.key("name").value(found->name);
  if (!found->mac.empty())
    out.key("mac").value(found->mac);
  if (!apply.empty())
    out.key("apply").value(apply);
  out.end_object();
  return {std::move(out).str()};
}

} // namespace mistify::http::handlers
