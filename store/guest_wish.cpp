#include "store/guest_wish.hpp"

#include "rpc/base/error.hpp"
#include "rpc/base/json.hpp"
#include "rpc/base/text.hpp"
#include "rpc/model/codec.hpp"

#include <algorithm>
#include <array>

namespace mistify::store {

namespace {

using rpc::json::node;

constexpr std::array<std::string_view, 6> changes{"update",     "attachDisk", "detachDisk",
                                                  "resizeDisk", "attachNic",  "detachNic"};

std::uint64_t number_in(const node& wish, std::string_view member) {
  const auto* value = wish.find(member);
  return value ? value->as_uint(member) : 0;
}

std::uint64_t more_than(std::uint64_t before, std::uint64_t after) noexcept {
  return after - std::min(before, after);
}

std::uint64_t size_of_disk(const stored_guest& guest, const node& wish) {
  const auto* device = wish.find("device");
  const auto name = device ? device->as_string("device") : std::string{};
  for (const auto& disk : rpc::decode_guest(guest.doc).disks)
    if (disk.device == name)
      return disk.size;
  return 0;
}

growth growth_in(const stored_guest& guest, std::string_view change, const node& wish) {
  growth by;
  if (change == "update") {
    by.memory = more_than(guest.facts.memory, number_in(wish, "memory"));
    by.cpu = more_than(guest.facts.cpu, number_in(wish, "cpu"));
  } else if (change == "attachDisk") {
    by.disk = number_in(wish, "size");
  } else if (change == "resizeDisk") {
    by.disk = more_than(size_of_disk(guest, wish), number_in(wish, "size"));
  }
  return by;
}

std::vector<std::string> macs_in(std::string_view nic) {
  if (nic.empty())
    return {};
  try {
    const auto document = rpc::json::document::parse(nic);
    const auto* mac = document.root().find("mac");
    rpc::guest only;
    only.nics.emplace_back().mac = mac ? mac->as_string("mac") : std::string{};
    return facts_of(only).macs;
  } catch (const rpc::failure&) { // likewise its stage will refuse it
    return {};
  }
}

} // namespace

std::string_view change_of(std::string_view action) noexcept {
  constexpr std::string_view prefix = "container";
  if (const auto found = std::ranges::find(changes, action); found != changes.end())
    return *found;
  if (!action.starts_with(prefix))
    return {};
  const auto rest = action.substr(prefix.size());
  const auto found = std::ranges::find_if(changes, [&](std::string_view one) {
    return one.substr(1) == rest.substr(std::min<std::size_t>(1, rest.size())) && !rest.empty() &&
           rpc::text::lower(rest.front()) == one.front();
  });
  return found == changes.end() ? std::string_view{} : *found;
}

bool needs_stage(std::string_view member) noexcept {
  return member == "memory" || member == "cpu";
}

std::optional<growth> growth_by(const stored_guest& guest, std::string_view action, std::string_view wish) {
  const auto change = change_of(action);
  if (change.empty() || wish.empty())
    return std::nullopt;
  try {
    const auto document = rpc::json::document::parse(wish);
    const auto by = growth_in(guest, change, document.root());
    return by.memory > 0 || by.cpu > 0 || by.disk > 0 ? std::optional{by} : std::nullopt;
  } catch (const rpc::failure&) { // a hand wrote it into the database: its stage will refuse it
    return std::nullopt;
  }
}

std::optional<reservation> reservation_of(const stored_guest& guest, std::string_view action, std::string_view wish) {
  const auto by = growth_by(guest, action, wish).value_or(growth{});
  reservation taken;
  taken.allocated = taken.promised = {by.memory, by.cpu};
  taken.disk = by.disk;
  taken.guest = guest.id;
  if (change_of(action) == "attachNic")
    taken.macs = macs_in(wish);
  const bool nothing = by.memory == 0 && by.cpu == 0 && by.disk == 0 && taken.macs.empty();
  return nothing ? std::nullopt : std::optional{taken};
}

} // namespace mistify::store
