#include "rpc/agents/examples/test_agent/changes.hpp"

#include "rpc/base/json.hpp"
#include "rpc/model/codec.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <utility>

namespace mistify::agents {

namespace {

using rpc::json::node;

/// The params as the only element of a list of a guest.
rpc::guest guest_with(const char* list, const node& params) {
  rpc::json::writer out;
  out.begin_object().key(list).begin_array().begin_object();
  for (const auto& [key, value] : params.members("params"))
    if (key != "apply")
      out.key(key).raw(value.text());
  out.end_object().end_array().end_object();
  return rpc::decode_guest(out.str());
}

std::size_t disk_in(const rpc::guest& g, const node& params) {
  const auto* device = params.find("device");
  const auto name = device ? device->as_string("device") : std::string{};
  const auto found = std::ranges::find_if(g.disks, [&](const rpc::disk& d) { return d.device == name; });
  if (found == g.disks.end())
    throw std::runtime_error{"not found"};
  return static_cast<std::size_t>(found - g.disks.begin());
}

std::uint64_t number_in(const node& params, const char* member) {
  const auto* value = params.find(member);
  if (!value)
    throw std::invalid_argument{std::string{"params."} + member + ": missing"};
  return value->as_uint(member);
}

template <class List>
void erase_at(List& from, std::size_t place) {
  if (place >= from.size())
    throw std::runtime_error{"not found"};
  from.erase(from.begin() + static_cast<std::ptrdiff_t>(place));
}

void attach_disk(rpc::guest& g, const node& params) {
  auto disk = guest_with("disks", params).disks.at(0);
  if (!disk.device.empty() && std::ranges::find(g.disks, disk.device, &rpc::disk::device) != g.disks.end())
    throw std::invalid_argument{"device: is a disk of the guest already"};
  const auto number = std::to_string(g.disks.size());
  if (disk.device.empty())
    disk.device = std::string{"vd"} + static_cast<char>('a' + g.disks.size() % 26);
  if (disk.bus.empty())
    disk.bus = "virtio";
  if (disk.volume.empty())
    disk.volume = "guests/" + g.id + "/disk-" + number;
  g.disks.push_back(std::move(disk));
}

/// The nic with the wish's address, else with its name; the place only where the wish has neither.
std::size_t nic_in(const rpc::guest& g, const node& params) {
  for (const auto& [member, text] : {std::pair{"mac", &rpc::nic::mac}, std::pair{"name", &rpc::nic::name}})
    if (const auto* value = params.find(member)) {
      const auto wanted = value->as_string(member);
      const auto found = std::ranges::find(g.nics, wanted, text);
      return static_cast<std::size_t>(found - g.nics.begin());
    }
  return number_in(params, "nic");
}

void attach_nic(rpc::guest& g, const node& params) {
  auto nic = guest_with("nics", params).nics.at(0);
  if (nic.name.empty())
    nic.name = "net" + std::to_string(g.nics.size());
  g.nics.push_back(std::move(nic));
}

} // namespace

rpc::guest_response change_guest(std::string_view action, const rpc::guest_request& request) {
  auto g = request.guest;
  const auto params = rpc::json::document::parse(request.params.empty() ? "{}" : request.params);
  if (action == "attachDisk")
    attach_disk(g, params.root());
  else if (action == "detachDisk")
    erase_at(g.disks, disk_in(g, params.root()));
  else if (action == "resizeDisk")
    g.disks[disk_in(g, params.root())].size = number_in(params.root(), "size");
  else if (action == "attachNic")
    attach_nic(g, params.root());
  else if (action == "detachNic")
    erase_at(g.nics, nic_in(g, params.root()));
  else if (action != "update") // the guest is as it shall be already
    throw std::invalid_argument{"invalid argument"};
  return {std::move(g)};
}

} // namespace mistify::agents
