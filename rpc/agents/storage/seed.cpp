#include "rpc/agents/storage/seed.hpp"

#include "rpc/base/error.hpp"
#include "rpc/base/json.hpp"
#include "rpc/fetch/sha256.hpp"
#include "rpc/model/nic_address.hpp"

#include <algorithm>
#include <optional>
#include <stdexcept>

namespace mistify::agents::storage {

namespace {

/// "52:54:00:" and what follows from the guest and the place, as random as libvirt's own.
std::string mac_of(const std::string& guest, std::size_t place) {
  fetching::sha256 sum;
  const auto text = guest + '/' + std::to_string(place);
  sum.add(text);
  const auto hex = sum.hex();
  return "52:54:00:" + hex.substr(0, 2) + ':' + hex.substr(2, 2) + ':' + hex.substr(4, 2);
}

/// Nothing for a nic without an address.
std::optional<rpc::nic_address> address_in(const rpc::nic& n, std::size_t place) {
  try {
    return rpc::address_of(n, place);
  } catch (const rpc::failure& e) {
    throw std::invalid_argument{e.message()};
  }
}

void write_static(rpc::json::writer& out, const rpc::nic_address& address, const std::string& gateway) {
  out.key("addresses").begin_array().value(address.text + '/' + std::to_string(address.length)).end_array();
  if (gateway.empty())
    return;
  out.key("routes").begin_array().begin_object();
  out.key("to").value(address.is_ipv6 ? "::/0" : "0.0.0.0/0").key("via").value(gateway);
  out.end_object().end_array();
}

std::string network_of(rpc::guest& g) {
  if (g.nics.empty())
    return {};
  rpc::json::writer out;
  out.begin_object().key("version").value(2).key("ethernets").begin_object();
  for (std::size_t i = 0; i < g.nics.size(); ++i) {
    auto& n = g.nics[i];
    if (n.mac.empty())
      n.mac = mac_of(g.id, i);
    auto mac = n.mac; // as Linux has it, which is compared
    std::ranges::transform(mac, mac.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    out.key("nic" + std::to_string(i)).begin_object();
    out.key("match").begin_object().key("macaddress").value(mac).end_object();
    if (const auto address = address_in(n, i))
      write_static(out, *address, n.gateway);
    else
      out.key("dhcp4").value(true);
    out.end_object();
  }
  out.end_object().end_object();
  return std::move(out).str() + '\n';
}

std::string meta_data_of(const rpc::guest& g, const rpc::cloud_init& from) {
  rpc::json::writer out;
  out.begin_object().key("instance-id").value(g.id);
  if (!from.hostname.empty())
    out.key("local-hostname").value(from.hostname);
  if (!from.ssh_keys.empty()) {
    out.key("public-keys").begin_array();
    for (const auto& key : from.ssh_keys)
      out.value(key);
    out.end_array();
  }
  out.end_object();
  return std::move(out).str() + '\n';
}

} // namespace

seed_files make_seed_files(rpc::guest& g, const rpc::cloud_init& from) {
  return {from.user_data, meta_data_of(g, from), from.network_config ? *from.network_config : network_of(g)};
}

} // namespace mistify::agents::storage
