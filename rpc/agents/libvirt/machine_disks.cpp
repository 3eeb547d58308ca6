#include "rpc/agents/libvirt/claims.hpp"
#include "rpc/agents/libvirt/defaults.hpp"
#include "rpc/agents/libvirt/domain_xml.hpp"
#include "rpc/agents/libvirt/guest_text.hpp"
#include "rpc/agents/libvirt/machine_changes.hpp"
#include "rpc/agents/libvirt/machines.hpp"
#include "rpc/agents/libvirt/states.hpp"

#include <set>
#include <stdexcept>
#include <utility>

// Disks of machines that are there.
namespace mistify::agents {

using pugi::xml_node;

namespace {

constexpr std::uint64_t bytes_in_mb = 1024 * 1024;

xml_node disk_with(xml_node devices, const std::string& device) {
  for (const auto& disk : devices.children("disk"))
    if (disk.child("target").attribute("dev").value() == device)
      return disk;
  return {};
}

/// True if the device is a disk with that file; false if there is none of that name. Throws if it is another disk.
bool has_disk(xml_node devices, const rpc::disk& disk, const std::string& path) {
  const auto there = disk_with(devices, disk.device);
  if (!there)
    return false;
  const auto source = there.child("source");
  if (source.attribute("file").value() != path && source.attribute("dev").value() != path)
    throw std::runtime_error{"device: the machine has another disk as " + disk.device};
  return true;
}

void expect_own_devices(const rpc::guest& g) {
  std::set<std::string> devices;
  for (const auto& disk : g.disks)
    if (!devices.insert(disk.device).second)
      throw std::invalid_argument{"device: is a disk of the guest already: " + disk.device};
}

} // namespace

/// Places the guest's disks that the machine does not have, as at a create. The last one is the new one: of a call that
/// is repeated the machine has it already.
void machines::place_disks(virDomainPtr d, rpc::guest& g, machine_change& to, std::unique_lock<std::mutex>& claim) {
  pugi::xml_document document;
  document.load_string(whole_xml(d).c_str());
  const auto devices = document.child("domain").child("devices");
  std::vector<std::string> fresh;
  for (std::size_t i = 0; i < g.disks.size(); ++i) {
    auto& disk = g.disks[i];
    const bool is_new = i + 1 == g.disks.size();
    if (!is_new && disk_with(devices, disk.device))
      continue;
    const auto placed = rules_.places.find(disk, g.id, "disks[" + std::to_string(i) + "]");
    disk.extra["format"] = '"' + std::string{placed.format()} + '"';
    if (has_disk(devices, disk, placed.chain.front().path))
      continue;
    if (placed.is_shared && !claim.owns_lock())
      claim.lock();
    if (placed.is_shared)
      expect_free_disk(virDomainGetConnect(d), placed.chain.front().path, g.id, among::all);
    fresh.push_back(build_disk_xml(disk, placed));
  }
  to.define = [fresh](xml_node domain) {
    for (const auto& xml : fresh)
      append_xml(domain.child("devices"), xml);
  };
  to.live = [fresh](virDomainPtr running) {
    for (const auto& xml : fresh)
      must(virDomainAttachDeviceFlags(running, xml.c_str(), VIR_DOMAIN_AFFECT_LIVE));
  };
}

rpc::guest_response machines::attach_disk(const rpc::guest_request& request) {
  const auto params = params_of(request);
  const auto apply = apply_of(params.root());
  auto changed = request;
  settle_defaults(changed.guest);
  expect_plain_text(changed.guest);
  expect_own_devices(changed.guest);
  std::string message;
  auto done = act(changed, [&](virDomainPtr d) {
    std::unique_lock claim{claims_, std::defer_lock};
    machine_change what;
    place_disks(d, changed.guest, what, claim);
    message = carry_out(d, what, apply);
  });
  done.guest.disks = changed.guest.disks; // with the formats
  done.message = std::move(message);
  return done;
}

rpc::guest_response machines::detach_disk(const rpc::guest_request& request) {
  const auto params = params_of(request);
  const auto apply = apply_of(params.root());
  const auto device = text_in(params.root(), "device");
  if (device.empty() || (!request.guest.disks.empty() && request.guest.disks.front().device == device))
    throw std::invalid_argument{"disk: must be one that the guest does not boot from"};
  std::string message;
  auto done = act(request, [&](virDomainPtr d) {
    const auto remove = [&](xml_node domain) {
      auto devices = domain.child("devices");
      devices.remove_child(disk_with(devices, device));
    };
    message = carry_out(d, {remove, [&](virDomainPtr running) { detach_live(running, disk_with, device); }}, apply);
  });
  done.message = std::move(message);
  return done;
}

/// The definition does not have the size. A machine that runs is the only one that may write to its disk's file.
rpc::guest_response machines::resize_disk(const rpc::guest_request& request) {
  const auto params = params_of(request);
  const auto apply = apply_of(params.root());
  const auto device = text_in(params.root(), "device");
  const auto* size = params.root().find("size");
  const auto bytes = size ? size->as_uint("size") * bytes_in_mb : 0;
  return act(request, [&](virDomainPtr d) {
    if (!is_on(d))
      return;
    if (apply == rpc::apply_when::next_start)
      throw std::invalid_argument{"apply: a disk of a guest that runs grows at once"};
    must(virDomainBlockResize(d, device.c_str(), bytes, VIR_DOMAIN_BLOCK_RESIZE_BYTES));
  });
}

} // namespace mistify::agents
