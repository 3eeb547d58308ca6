#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <vector>

namespace mistify::fetching {

/// An IP address in 16 bytes, IPv4 as ::ffff:A.B.C.D, which is where the kernel sends what is for that form. A value.
struct ip_address {
  std::array<std::uint8_t, 16> bytes{};

  /// Null for other families.
  static std::optional<ip_address> of(const sockaddr& socket);
  /// Null where the text is none. Without brackets and zone.
  static std::optional<ip_address> parse(const std::string& text);

  /// Fills in the address with that port; the size of what it is then.
  socklen_t put_into(sockaddr_storage& socket, std::uint16_t port) const;

  bool is_v4() const noexcept;
  friend bool operator==(const ip_address&, const ip_address&) = default;
};

/// An address with the number of bits that count.
struct ip_network {
  ip_address base;
  unsigned bits = 0; ///< of 128; so 96 more than written for IPv4

  /// "10.0.0.0/8", "fd00::/8", or an address. Throws std::invalid_argument.
  static ip_network parse(const std::string& text);
  bool holds(const ip_address& address) const noexcept;
};

/// Which addresses may be connected to for an image: those of the public Internet, and the networks that the operator
/// allows. Judges addresses, not names, so it has to be asked at each connect. Thread-safe.
class address_policy {
public:
  using asks_host = std::function<bool(const ip_address&)>;

  /// `is_own` says whether an address is one of this host's. Throws std::invalid_argument that names a text which is no network.
  explicit address_policy(const std::vector<std::string>& allowed = {}, asks_host is_own = {});

  /// What the address is that may not be connected to ("loopback", "private"…). Null where it may be. Addresses that hold
  /// an IPv4 address to be forwarded to (6to4, NAT64 and others) are judged by that as well.
  std::optional<std::string_view> objection(const ip_address& to) const;

private:
  std::vector<ip_network> allowed_;
  asks_host is_own_;
};

/// Whether the address is one of this host's now: then the kernel sends to it from itself.
bool is_of_this_host(const ip_address& address);

} // namespace mistify::fetching
