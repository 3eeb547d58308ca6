#include "actors/cluster/values.hpp"

#include <arpa/inet.h>
#include <array>
#include <charconv>
#include <fstream>
#include <ifaddrs.h>
#include <memory>
#include <netinet/in.h>
#include <sstream>
#include <string_view>

namespace mistify::actors::cluster {

namespace {

std::string to_text(in_addr address) {
  std::array<char, INET_ADDRSTRLEN> text{};
  return ::inet_ntop(AF_INET, &address, text.data(), text.size()) ? text.data() : "";
}

const sockaddr_in& as_ipv4(const sockaddr& from) {
  return reinterpret_cast<const sockaddr_in&>(from); // NOLINT: as the sockets API has it
}

/// The default route of an interface, from the kernel's table: addresses are hexadecimal, in memory's order.
std::string gateway_of(std::string_view interface) {
  std::ifstream routes{"/proc/net/route"};
  std::string line;
  while (std::getline(routes, line)) {
    std::istringstream fields{line};
    std::string name, destination, gateway;
    fields >> name >> destination >> gateway;
    in_addr address{};
    if (name != interface || destination != "00000000")
      continue;
    constexpr int hexadecimal = 16;
    std::from_chars(gateway.data(), gateway.data() + gateway.size(), address.s_addr, hexadecimal);
    return to_text(address);
  }
  return {};
}

std::string mac_of(const std::string& interface) {
  std::ifstream in{"/sys/class/net/" + interface + "/address"};
  std::string mac;
  std::getline(in, mac);
  return mac;
}

} // namespace

network_facts facts_of_address(const std::string& ip) {
  network_facts out{ip, "255.255.255.255", ip, "00:00:00:00:00:00"};
  ifaddrs* first = nullptr;
  if (::getifaddrs(&first) != 0)
    return out;
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> all{first, &::freeifaddrs};
  for (const auto* at = first; at; at = at->ifa_next) {
    if (!at->ifa_addr || at->ifa_addr->sa_family != AF_INET || to_text(as_ipv4(*at->ifa_addr).sin_addr) != ip)
      continue;
    if (at->ifa_netmask)
      out.netmask = to_text(as_ipv4(*at->ifa_netmask).sin_addr);
    if (auto gateway = gateway_of(at->ifa_name); !gateway.empty())
      out.gateway = std::move(gateway);
    constexpr std::size_t length = 17;
    if (const auto mac = mac_of(at->ifa_name); mac.size() == length)
      out.mac = mac;
    break;
  }
  return out;
}

} // namespace mistify::actors::cluster
