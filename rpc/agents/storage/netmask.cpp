#include "rpc/agents/storage/netmask.hpp"

#include <arpa/inet.h>
#include <bit>
#include <charconv>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>

namespace mistify::agents::storage {

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

} // namespace

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

} // namespace mistify::agents::storage
