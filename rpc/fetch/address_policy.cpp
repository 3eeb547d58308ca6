#include "rpc/fetch/address_policy.hpp"

#include "rpc/base/unique_fd.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>
#include <cstring>
#include <netinet/in.h>
#include <stdexcept>

namespace mistify::fetching {

namespace {

constexpr unsigned all_bits = 128, bits_before_v4 = 96;

struct special_network {
  ip_network net;
  std::string_view name;
};

/// The registries of special-purpose addresses, RFC 6890 and what was added since.
const std::vector<special_network>& special_networks() {
  const auto net = [](const char* text) { return ip_network::parse(text); };
  static const std::vector<special_network> all{
    {net("0.0.0.0/8"), "this host"},
    {net("10.0.0.0/8"), "private"},
    {net("100.64.0.0/10"), "carrier's"},
    {net("127.0.0.0/8"), "loopback"},
    {net("169.254.0.0/16"), "link-local"},
    {net("172.16.0.0/12"), "private"},
    {net("192.0.0.0/24"), "reserved"},
    {net("192.0.2.0/24"), "documentation"},
    {net("192.88.99.0/24"), "reserved"},
    {net("192.168.0.0/16"), "private"},
    {net("198.18.0.0/15"), "benchmark"},
    {net("198.51.100.0/24"), "documentation"},
    {net("203.0.113.0/24"), "documentation"},
    {net("224.0.0.0/4"), "multicast"},
    {net("255.255.255.255/32"), "broadcast"},
    {net("240.0.0.0/4"), "reserved"},
    {net("::/128"), "this host"},
    {net("::1/128"), "loopback"},
    {net("fe80::/10"), "link-local"},
    {net("fec0::/10"), "site-local"},
    {net("fc00::/7"), "unique-local"},
    {net("ff00::/8"), "multicast"},
    {net("2001::/23"), "reserved"}, // Teredo among others
    {net("2001:db8::/32"), "documentation"},
    {net("3fff::/20"), "documentation"},
  };
  return all;
}

const ip_network& global_unicast() {
  static const auto net = ip_network::parse("2000::/3");
  return net;
}

const ip_network& nat64() {
  static const auto net = ip_network::parse("64:ff9b::/96");
  return net;
}

ip_address v4(const std::uint8_t* bytes) {
  ip_address made;
  made.bytes[10] = made.bytes[11] = 0xff;
  std::copy_n(bytes, 4, made.bytes.begin() + 12);
  return made;
}

bool is_isatap(const ip_address& a) {
  return (a.bytes[8] & ~2) == 0 && a.bytes[9] == 0 && a.bytes[10] == 0x5e && a.bytes[11] == 0xfe;
}

/// The IPv4 address that packets to an IPv6 address are forwarded to.
std::optional<ip_address> v4_within(const ip_address& a) {
  static const auto six_to_four = ip_network::parse("2002::/16");
  static const auto compatible = ip_network::parse("::/96"), translated = ip_network::parse("::ffff:0:0:0/96");
  if (six_to_four.holds(a))
    return v4(a.bytes.data() + 2);
  const bool is_compatible = compatible.holds(a) && a.bytes[12] != 0; // unlike :: and ::1
  if (nat64().holds(a) || is_compatible || translated.holds(a) || is_isatap(a))
    return v4(a.bytes.data() + 12);
  return std::nullopt;
}

std::optional<std::string_view> name_of(const ip_address& a) {
  for (const auto& special : special_networks())
    if (special.net.holds(a))
      return special.name;
  if (a.is_v4() || global_unicast().holds(a) || nat64().holds(a))
    return std::nullopt;
  return "reserved";
}

} // namespace

bool ip_address::is_v4() const noexcept {
  return std::all_of(bytes.begin(), bytes.begin() + 10, [](auto b) { return b == 0; }) && bytes[10] == 0xff &&
         bytes[11] == 0xff;
}

std::optional<ip_address> ip_address::of(const sockaddr& socket) {
  ip_address made;
  if (socket.sa_family == AF_INET) {
    sockaddr_in in{};
    std::memcpy(&in, &socket, sizeof in);
    return v4(reinterpret_cast<const std::uint8_t*>(&in.sin_addr));
  }
  if (socket.sa_family != AF_INET6)
    return std::nullopt;
  sockaddr_in6 in{};
  std::memcpy(&in, &socket, sizeof in);
  std::copy_n(std::begin(in.sin6_addr.s6_addr), made.bytes.size(), made.bytes.begin());
  return made;
}

std::optional<ip_address> ip_address::parse(const std::string& text) {
  ip_address made;
  if (::inet_pton(AF_INET, text.c_str(), made.bytes.data()) == 1)
    return v4(std::array{made.bytes[0], made.bytes[1], made.bytes[2], made.bytes[3]}.data());
  if (::inet_pton(AF_INET6, text.c_str(), made.bytes.data()) == 1)
    return made;
  return std::nullopt;
}

socklen_t ip_address::put_into(sockaddr_storage& socket, std::uint16_t port) const {
  if (is_v4()) {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port = htons(port);
    std::memcpy(&in.sin_addr, bytes.data() + 12, sizeof in.sin_addr);
    std::memcpy(&socket, &in, sizeof in);
    return sizeof in;
  }
  sockaddr_in6 in{};
  in.sin6_family = AF_INET6;
  in.sin6_port = htons(port);
  std::memcpy(&in.sin6_addr, bytes.data(), sizeof in.sin6_addr);
  std::memcpy(&socket, &in, sizeof in);
  return sizeof in;
}

ip_network ip_network::parse(const std::string& text) {
  const auto slash = text.find('/');
  const auto base = ip_address::parse(text.substr(0, slash));
  if (!base)
    throw std::invalid_argument{"no network: " + text};
  const bool v4 = text.find(':') == text.npos;
  const unsigned most = v4 ? all_bits - bits_before_v4 : all_bits;
  unsigned bits = most;
  if (slash != text.npos) {
    const auto* end = text.data() + text.size();
    const auto [at, error] = std::from_chars(text.data() + slash + 1, end, bits);
    if (error != std::errc{} || at != end || bits > most)
      throw std::invalid_argument{"no network: " + text};
  }
  return {*base, bits + (v4 ? bits_before_v4 : 0)};
}

bool ip_network::holds(const ip_address& address) const noexcept {
  if (address.is_v4() != base.is_v4()) // ::/0 is what is IPv6
    return false;
  const auto whole = bits / 8, rest = bits % 8;
  if (!std::equal(base.bytes.begin(), base.bytes.begin() + whole, address.bytes.begin()))
    return false;
  return rest == 0 || (base.bytes[whole] ^ address.bytes[whole]) >> (8 - rest) == 0;
}

address_policy::address_policy(const std::vector<std::string>& allowed, asks_host is_own) : is_own_{std::move(is_own)} {
  for (const auto& text : allowed)
    allowed_.push_back(ip_network::parse(text));
}

std::optional<std::string_view> address_policy::objection(const ip_address& to) const {
  const auto allows = [&](const ip_address& a) {
    return std::any_of(allowed_.begin(), allowed_.end(), [&](const auto& net) { return net.holds(a); });
  };
  const auto within = to.is_v4() ? std::nullopt : v4_within(to);
  if (allows(to) || (within && allows(*within)))
    return std::nullopt;
  if (const auto name = name_of(to))
    return name;
  if (const auto name = within ? name_of(*within) : std::nullopt)
    return name;
  if (is_own_ && (is_own_(to) || (within && is_own_(*within))))
    return "this host's";
  return std::nullopt;
}

bool is_of_this_host(const ip_address& address) {
  sockaddr_storage to{}, from{};
  const auto size = address.put_into(to, 9); // any port will do: nothing is sent
  const rpc::unique_fd fd{::socket(to.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  socklen_t room = sizeof from;
  return fd && ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), size) == 0 &&
         ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&from), &room) == 0 &&
         ip_address::of(reinterpret_cast<const sockaddr&>(from)) == address;
}

} // namespace mistify::fetching
