#include "rpc/agents/libvirt/claims.hpp"
#include "rpc/agents/libvirt/defaults.hpp"
#include "rpc/agents/libvirt/domain_parts.hpp"
#include "rpc/agents/libvirt/guest_text.hpp"
#include "rpc/agents/libvirt/machine_size.hpp"
#include "rpc/agents/libvirt/machines.hpp"
#include "rpc/agents/libvirt/states.hpp"
#include "rpc/base/error.hpp"
#include "rpc/base/json.hpp"
#include "rpc/model/apply.hpp"
#include "rpc/model/codec.hpp"

#include <algorithm>
#include <chrono>
#include <pugixml.hpp>
#include <random>
#include <set>
#include <stdexcept>
#include <strings.h>
#include <thread>

// Changes of a machine that is there, as it is defined and as it runs.
namespace mistify::agents {

using pugi::xml_node;
using namespace std::chrono_literals;

/// What is done to a machine.
struct machines::machine_change {
  std::function<void(xml_node domain)> define = nullptr; ///< of its XML; null: the definition stays
  std::function<void(virDomainPtr)> live = nullptr;      ///< while it runs; throws where QEMU cannot
};

namespace {

constexpr std::uint64_t bytes_in_mb = 1024 * 1024;

/// How long a guest may take to let go of a device.
constexpr auto longest_removal = 10s;
constexpr auto removal_interval = 250ms;

bool is_on(virDomainPtr d) {
  return must(virDomainIsActive(d)) != 0;
}

/// With passwords, which the domain would lose otherwise.
std::string defined_xml(virDomainPtr d) {
  return text_ptr{must(virDomainGetXMLDesc(d, VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_SECURE))}.get();
}

std::string running_xml(virDomainPtr d) {
  return text_ptr{must(virDomainGetXMLDesc(d, 0))}.get();
}

rpc::json::document params_of(const rpc::guest_request& request) {
  if (request.params.empty())
    throw std::invalid_argument{"params: missing"};
  return rpc::json::document::parse(request.params);
}

std::string text_in(const rpc::json::node& params, const char* member) {
  const auto* value = params.find(member);
  return value ? value->as_string(member) : std::string{};
}

rpc::apply_when apply_of(const rpc::json::node& params) {
  try {
    return rpc::apply_in(params);
  } catch (const rpc::failure& e) {
    throw std::invalid_argument{e.message()};
  }
}

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

/// The place of the nic with the wish's address, else with its name; the wish's place only where it has neither.
std::size_t nic_in(const rpc::guest& g, const rpc::json::node& params) {
  const auto mac = text_in(params, "mac"), name = text_in(params, "name");
  const auto* place = params.find("nic");
  std::size_t index = place && mac.empty() && name.empty() ? place->as_uint("nic") : g.nics.size();
  if (!mac.empty() || !name.empty())
    index = static_cast<std::size_t>(std::ranges::find_if(g.nics,
                                                          [&](const rpc::nic& n) {
                                                            return mac.empty()
                                                                     ? n.name == name
                                                                     : strcasecmp(n.mac.c_str(), mac.c_str()) == 0;
                                                          }) -
                                     g.nics.begin());
  if (index >= g.nics.size())
    throw std::runtime_error{"not found"};
  return index;
}

/// An address of QEMU's range. Libvirt would choose another one for the machine that runs than for its definition.
std::string random_mac() {
  std::random_device source;
  std::uniform_int_distribution<unsigned> bytes{0, 255};
  constexpr std::string_view digits = "0123456789abcdef";
  std::string mac = "52:54:00";
  for (int i = 0; i < 3; ++i) {
    const auto byte = bytes(source);
    mac += ':';
    mac += digits[byte >> 4U];
    mac += digits[byte & 15U];
  }
  return mac;
}

using finder = xml_node (*)(xml_node devices, const std::string& key);

std::string text_of_node(xml_node node) {
  pugi::xml_document only;
  only.append_copy(node);
  return text_of(only);
}

/// The device's XML as the machine that runs has it; empty where it has none.
std::string running_device(virDomainPtr d, finder find, const std::string& key) {
  pugi::xml_document document;
  document.load_string(running_xml(d).c_str());
  const auto found = find(document.child("domain").child("devices"), key);
  return found ? text_of_node(found) : std::string{};
}

/// The guest has to let go of the device, which libvirt does not wait for in full.
void detach_live(virDomainPtr d, finder find, const std::string& key) {
  const auto xml = running_device(d, find, key);
  if (xml.empty())
    return;
  must(virDomainDetachDeviceFlags(d, xml.c_str(), VIR_DOMAIN_AFFECT_LIVE));
  const auto end = std::chrono::steady_clock::now() + longest_removal;
  while (!running_device(d, find, key).empty()) {
    if (std::chrono::steady_clock::now() > end)
      throw std::runtime_error{"the guest does not let go of the device"};
    std::this_thread::sleep_for(removal_interval);
  }
}

void append_xml(xml_node devices, const std::string& xml) {
  pugi::xml_document device;
  device.load_string(xml.c_str());
  devices.append_copy(device.first_child());
}

} // namespace

/// The definition first, so that libvirt says at once what it cannot be; a live change that is refused takes it back.
/// Returns what is to be told.
std::string machines::carry_out(virDomainPtr d, const machine_change& what, rpc::apply_when apply) const {
  const auto before = defined_xml(d);
  const auto c = virDomainGetConnect(d);
  const bool on = is_on(d);
  if (!on && apply == rpc::apply_when::live)
    throw std::invalid_argument{"apply: the guest is off"};
  if (what.define) {
    pugi::xml_document document;
    document.load_string(before.c_str());
    what.define(document.child("domain"));
    const domain_ptr defined{must(virDomainDefineXML(c, text_of(document).c_str()))};
  }
  if (!on || apply == rpc::apply_when::next_start || !what.live)
    return {};
  try {
    what.live(d);
    return {};
  } catch (const std::runtime_error& e) {
    if (apply == rpc::apply_when::live) {
      const domain_ptr restored{must(virDomainDefineXML(c, before.c_str()))};
      throw;
    }
    return std::string{"takes effect at the next start: "} + e.what();
  }
}

rpc::guest_response machines::update(const rpc::guest_request& request) {
  const auto params = params_of(request);
  const auto apply = apply_of(params.root());
  if (request.guest.memory == 0)
    throw std::invalid_argument{"memory: must be 1 or more"};
  const named_sizes named{params.root().find("memory") != nullptr, params.root().find("cpu") != nullptr};
  std::string message;
  auto done = act(request, [&](virDomainPtr d) {
    message = carry_out(d,
                        {[&](xml_node domain) { set_size(domain, request.guest); },
                         [&](virDomainPtr running) { set_size_live(running, request.guest, named); }},
                        apply);
  });
  done.message = std::move(message);
  return done;
}

/// Places the guest's disks that the machine does not have, as at a create. The last one is the new one: of a call that
/// is repeated the machine has it already.
void machines::place_disks(virDomainPtr d, rpc::guest& g, machine_change& to, std::unique_lock<std::mutex>& claim) {
  pugi::xml_document document;
  document.load_string(defined_xml(d).c_str());
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

rpc::guest_response machines::attach_nic(const rpc::guest_request& request) {
  const auto params = params_of(request);
  const auto apply = apply_of(params.root());
  auto changed = request;
  auto& g = changed.guest;
  rpc::json::writer wrapped;
  wrapped.begin_object().key("nics").begin_array().raw(params.root().text()).end_array().end_object();
  auto wanted = rpc::decode_guest(wrapped.str()).nics.at(0);
  wanted.extra.erase("apply");
  g.nics.push_back(std::move(wanted));
  settle_defaults(g);
  expect_plain_text(g);
  if (g.nics.back().network.empty() && !rules_.user_network)
    throw std::invalid_argument{std::string{"network: "} + no_user_network};
  if (g.nics.back().mac.empty())
    g.nics.back().mac = random_mac();
  std::string message;
  auto done = act(changed, [&](virDomainPtr d) {
    const auto xml = build_nic_xml(g.nics.back(), look_at_host(virDomainGetConnect(d)),
                                   "nics[" + std::to_string(g.nics.size() - 1) + "]");
    message = carry_out(
      d,
      {[&](xml_node domain) { append_xml(domain.child("devices"), xml); },
       [&](virDomainPtr running) { must(virDomainAttachDeviceFlags(running, xml.c_str(), VIR_DOMAIN_AFFECT_LIVE)); }},
      apply);
  });
  done.message = std::move(message);
  return done;
}

rpc::guest_response machines::detach_nic(const rpc::guest_request& request) {
  const auto params = params_of(request);
  const auto apply = apply_of(params.root());
  const auto index = nic_in(request.guest, params.root());
  const auto mac = request.guest.nics[index].mac;
  std::string message;
  auto changed = request;
  changed.guest.nics.erase(changed.guest.nics.begin() + static_cast<std::ptrdiff_t>(index));
  auto done = act(changed, [&](virDomainPtr d) {
    const auto remove = [&](xml_node domain) {
      auto devices = domain.child("devices");
      devices.remove_child(nic_with(devices, mac));
    };
    message = carry_out(d, {remove, [&](virDomainPtr running) { detach_live(running, nic_with, mac); }}, apply);
  });
  done.message = std::move(message);
  return done;
}

std::vector<pending_change> machines::pending(const rpc::guest_request& request) {
  std::vector<pending_change> found;
  act(request, [&](virDomainPtr d) {
    if (is_on(d))
      found = find_pending(running_xml(d), defined_xml(d));
  });
  return found;
}

} // namespace mistify::agents
