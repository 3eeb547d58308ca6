#include "store/admission.hpp"

#include "rpc/base/error.hpp"

#include <algorithm>
#include <string>

namespace mistify::store {

namespace {

using rpc::errc;
using rpc::failure;

void expect_room(std::string_view what, std::string_view unit, std::uint64_t wanted, std::uint64_t taken,
                 const std::optional<std::uint64_t>& most) {
  if (!most || wanted == 0)
    return;
  const auto left = *most - std::min(*most, taken);
  if (wanted <= left)
    return;
  const auto number = [&](std::uint64_t n) { return std::to_string(n) + std::string{unit}; };
  throw failure{errc::conflict, std::string{what} + ": " + number(wanted) + " asked for, " + number(left) +
                                  " left of " + number(*most) + " (" + number(taken) + " taken)"};
}

} // namespace

void expect_unique(const guest_ledger& in, const guest_facts& guest, std::string_view id) {
  auto macs = guest.macs;
  std::ranges::sort(macs);
  if (const auto twice = std::ranges::adjacent_find(macs); twice != macs.end())
    throw failure{errc::conflict, "the MAC address " + *twice + " is in the guest twice"};
  for (const auto& mac : macs)
    if (in.holder_of_mac(mac, id))
      throw failure{errc::conflict, "the MAC address " + mac + " is another guest's"};
  if (!guest.name.empty())
    if (in.holder_of_name(guest.name, id))
      throw failure{errc::conflict, "the name " + guest.name + " is another guest's"};
  if (guest.vnc <= 0)
    return;
  if (in.holder_of_vnc(guest.vnc, id))
    throw failure{errc::conflict, "the VNC port " + std::to_string(guest.vnc) + " is another guest's"};
}

void expect_room_for(const guest_ledger& in, const guest_facts& guest, const host_limits& limits) {
  expect_room("memory", " MB", guest.memory, 0, limits.memory);
  expect_room("processors", "", guest.cpu, 0, limits.cpu);
  expect_room("disk space", " MB", guest.disk, in.sums().disk, limits.disk);
}

void expect_room_to_run(const guest_ledger& in, const stored_guest& guest, const host_limits& limits) {
  if (in.is_allocated(guest.id))
    return;
  const auto& taken = in.sums().allocated;
  expect_room("memory", " MB", guest.facts.memory, taken.memory, limits.memory);
  expect_room("processors", "", guest.facts.cpu, taken.cpu, limits.cpu);
}

void expect_room_to_grow(const guest_ledger& in, const stored_guest& guest, const growth& by,
                         const host_limits& limits) {
  expect_room("disk space", " MB", by.disk, in.sums().disk, limits.disk);
  const bool runs = in.is_allocated(guest.id);
  const auto& taken = in.sums().allocated;
  if (by.memory > 0)
    expect_room("memory", " MB", guest.facts.memory + by.memory, runs ? taken.memory - guest.facts.memory : 0,
                limits.memory);
  if (by.cpu > 0)
    expect_room("processors", "", guest.facts.cpu + by.cpu, runs ? taken.cpu - guest.facts.cpu : 0, limits.cpu);
}

bool creates_guest(std::string_view action) noexcept {
  return action == "create" || action == "containerCreate";
}

bool is_start(std::string_view action) noexcept {
  return action == "start" || action == "containerStart";
}

bool starts_guest(std::string_view action) noexcept {
  return is_start(action) || action == "resume" || action == "containerResume" || action == "restart" ||
         action == "containerRestart";
}

} // namespace mistify::store
