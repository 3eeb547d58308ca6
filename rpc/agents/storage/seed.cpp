#include "rpc/agents/storage/seed.hpp"

#include "rpc/agents/storage/netmask.hpp"
#include "rpc/base/json.hpp"
#include "rpc/fetch/sha256.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <stdexcept>

namespace mistify::agents::storage {

namespace {

bool is_address(const std::string& text, int family) {
  std::array<unsigned char, sizeof(in6_addr)> parsed{};
  return ::inet_pton(family, text.c_str(), parsed.data()) == 1;
}

std::string field(std::size_t nic, const char* member) {
  return "nics[" + std::to_string(nic) + "]." + member;
}

/// "52:54:00:" and what follows from the guest and the place, as random as libvirt's own.
std::string mac_of(const std::string& guest, std::size_t place) {
  fetching::sha256 sum;
  const auto text = guest + '/' + std::to_string(place);
  sum.add(text);
  const auto hex = sum.hex();
  return "52:54:00:" + hex.substr(0, 2) + ':' + hex.substr(2, 2) + ':' + hex.substr(4, 2);
}

/// Of an address that may have its length with it: "192.0.2.7/24".
struct address_of_nic {
  std::string text;
  unsigned length = 0;
  bool is_ipv6 = false;
};

address_of_nic address_in(const rpc::nic& n, std::size_t place) {
  const auto slash = n.address.find('/');
  address_of_nic found{n.address.substr(0, slash)};
  found.is_ipv6 = is_address(found.text, AF_INET6);
  if (!found.is_ipv6 && !is_address(found.text, AF_INET))
    throw std::invalid_argument{field(place, "address") + ": is no IP address"};
  const auto mask = slash == n.address.npos ? n.netmask : n.address.substr(slash + 1);
  if (mask.empty())
    throw std::invalid_argument{field(place, "netmask") + ": is needed beside an address"};
  try {
    found.length = prefix_length(mask, found.is_ipv6);
  } catch (const std::invalid_argument& e) {
    throw std::invalid_argument{field(place, "netmask") + ": " + e.what()};
  }
  return found;
}

void write_static(rpc::json::writer& out, const rpc::nic& n, std::size_t place) {
  const auto address = address_in(n, place);
  out.key("addresses").begin_array().value(address.text + '/' + std::to_string(address.length)).end_array();
  if (n.gateway.empty())
    return;
  if (!is_address(n.gateway, address.is_ipv6 ? AF_INET6 : AF_INET))
    throw std::invalid_argument{field(place, "gateway") + ": is no address of the same kind"};
  out.key("routes").begin_array().begin_object();
  out.key("to").value(address.is_ipv6 ? "::/0" : "0.0.0.0/0").key("via").value(n.gateway);
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
    if (n.address.empty())
      out.key("dhcp4").value(true);
    else
      write_static(out, n, i);
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
