#include "rpc/agents/libvirt/machine_changes.hpp"

#include "rpc/agents/libvirt/domain_parts.hpp"
#include "rpc/agents/libvirt/domain_xml.hpp"
#include "rpc/agents/libvirt/machine_size.hpp"
#include "rpc/agents/libvirt/machines.hpp"
#include "rpc/agents/libvirt/states.hpp"
#include "rpc/base/error.hpp"

#include <chrono>
#include <stdexcept>
#include <thread>

// Changes of a machine that is there, as it is defined and as it runs; disks and nics have files of their own.
namespace mistify::agents {

using pugi::xml_node;
using namespace std::chrono_literals;

namespace {

/// How long a guest may take to let go of a device.
constexpr auto longest_removal = 10s;
constexpr auto removal_interval = 250ms;

std::string text_of_node(xml_node node) {
  pugi::xml_document only;
  only.append_copy(node);
  return text_of(only);
}

/// The device's XML as the machine that runs has it; empty where it has none.
std::string running_device(virDomainPtr d, device_finder find, const std::string& key) {
  pugi::xml_document document;
  document.load_string(current_xml(d).c_str());
  const auto found = find(document.child("domain").child("devices"), key);
  return found ? text_of_node(found) : std::string{};
}

} // namespace

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

void detach_live(virDomainPtr d, device_finder find, const std::string& key) {
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

std::string carry_out(virDomainPtr d, const machine_change& what, rpc::apply_when apply) {
  const auto before = whole_xml(d);
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

std::vector<pending_change> machines::pending(const rpc::guest_request& request) {
  std::vector<pending_change> found;
  act(request, [&](virDomainPtr d) {
    if (is_on(d))
      found = find_pending(current_xml(d), whole_xml(d));
  });
  return found;
}

} // namespace mistify::agents
