#include "rpc/agents/libvirt/defaults.hpp"
#include "rpc/agents/libvirt/domain_parts.hpp"
#include "rpc/agents/libvirt/guest_text.hpp"
#include "rpc/agents/libvirt/machine_changes.hpp"
#include "rpc/agents/libvirt/machines.hpp"
#include "rpc/base/json.hpp"
#include "rpc/model/codec.hpp"

#include <algorithm>
#include <random>
#include <stdexcept>
#include <strings.h>
#include <utility>

// Nics of machines that are there.
namespace mistify::agents {

using pugi::xml_node;

namespace {

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

} // namespace

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

} // namespace mistify::agents
