#include "rpc/model/nic_address.hpp"

#include "rpc/base/error.hpp"
#include "rpc/model/cloud_init.hpp"

#include <arpa/inet.h>
#include <array>
#include <bit>
#include <charconv>
#include <cstdint>
#include <stdexcept>

namespace mistify::rpc {

namespace {

std::optional<std::uint32_t> number(std::string_view text, int base) {
  std::uint32_t value = 0;
  const auto [rest, fault] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  return fault == std::errc{} && rest == text.data() + text.size() ? std::optional{value} : std::nullopt;
}

std::optional<std::uint32_t> dotted(std::string_view text) {
  in_addr address{};
  if (::inet_pton(AF_INET, std::string{text}.c_str(), &address) != 1)
    return std::nullopt;
  return ntohl(address.s_addr);
}

/// The bits of a mask of IPv4; null if the text is none.
std::optional<std::uint32_t> mask_in(std::string_view text) {
  constexpr std::size_t digits = 8;
  if (text.find('.') != text.npos)
    return dotted(text);
  if (text.starts_with("0x") || text.starts_with("0X"))
    text.remove_prefix(2);
  return text.size() == digits ? number(text, 16) : std::nullopt;
}

bool is_address(const std::string& text, int family) {
  std::array<unsigned char, sizeof(in6_addr)> parsed{};
  return text.find('\0') == text.npos && ::inet_pton(family, text.c_str(), parsed.data()) == 1;
}

[[noreturn]] void refuse(std::size_t place, const char* member, const std::string& why) {
  throw failure{errc::invalid_request, "nics[" + std::to_string(place) + "]." + member + ": " + why};
}

} // namespace

std::optional<nic_address> address_of(const nic& n, std::size_t place) {
  if (n.address.empty())
    return std::nullopt;
  const auto slash = n.address.find('/');
  nic_address found{n.address.substr(0, slash)};
  found.is_ipv6 = is_address(found.text, AF_INET6);
  if (!found.is_ipv6 && !is_address(found.text, AF_INET))
    refuse(place, "address", "is no IP address");
  const auto mask = slash == n.address.npos ? n.netmask : n.address.substr(slash + 1);
  if (mask.empty())
    refuse(place, "netmask", "is needed beside an address");
  try {
    found.length = prefix_length(mask, found.is_ipv6);
  } catch (const std::invalid_argument& e) {
    refuse(place, "netmask", e.what());
  }
  if (!n.gateway.empty() && !is_address(n.gateway, found.is_ipv6 ? AF_INET6 : AF_INET))
    refuse(place, "gateway", "is no address of the same kind");
  return found;
}

void expect_addresses(const guest& of) {
  const auto init = cloud_init_of(of);
  if (!init || init->network_config)
    return;
  for (std::size_t i = 0; i < of.nics.size(); ++i)
    address_of(of.nics[i], i);
}

unsigned prefix_length(std::string_view netmask, bool is_ipv6) {
  const unsigned longest = is_ipv6 ? 128 : 32;
  if (const auto mask = is_ipv6 ? std::nullopt : mask_in(netmask)) {
    const auto length = static_cast<unsigned>(std::countl_one(*mask));
    if (length == longest || *mask << length == 0)
      return length;
    throw std::invalid_argument{"must have all its ones before its zeros"};
  }
  if (netmask.starts_with('/'))
    netmask.remove_prefix(1);
  const auto length = netmask.size() <= 3 ? number(netmask, 10) : std::nullopt;
  if (!length || *length > longest)
    throw std::invalid_argument{is_ipv6 ? "must be a length from 0 to 128"
                                        : "must be such as 255.255.255.0, ffffff00 or 24"};
  return *length;
}

} // namespace mistify::rpc
