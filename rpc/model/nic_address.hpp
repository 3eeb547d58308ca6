#pragma once

#include "rpc/model/model.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace mistify::rpc {

/// The address that a nic is to have inside its guest.
struct nic_address {
  std::string text;    ///< without a length
  unsigned length = 0; ///< of its prefix
  bool is_ipv6 = false;
};

/// The address of `nics[place]`, with `netmask`, or with its length behind it ("192.0.2.7/24"); null for a nic without
/// one. Throws `failure{invalid_request}` that names the member: also for a gateway that is no address of the same
/// kind.
std::optional<nic_address> address_of(const nic& n, std::size_t place);

/// `address_of` for all nics of a guest whose first boot is told them: with `cloud_init`, without `network_config`.
void expect_addresses(const guest& of);

/// The length of a prefix, from 0 to 32 or 128, that a netmask stands for: "255.255.255.0", "ffffff00", "0xffffff00",
/// "24", "/24". Throws std::invalid_argument for anything else.
unsigned prefix_length(std::string_view netmask, bool is_ipv6);

} // namespace mistify::rpc
