#include "store/mac_address.hpp"

#include "rpc/base/text.hpp"

#include <algorithm>
#include <cstddef>

namespace mistify::store {

namespace {

constexpr std::size_t digits_of_address = 12;

bool is_hex(std::string_view digits) noexcept {
  return std::ranges::all_of(digits, [](char c) { return rpc::text::hex_value(c) >= 0; });
}

/// The twelve digits of an address in lower case; empty if this is none.
std::string digits_in(std::string_view mac) {
  const auto first = mac.find_first_of(":-.");
  if (first == mac.npos)
    return mac.size() == digits_of_address && is_hex(mac) ? std::string{mac} : std::string{};
  const char mark = mac[first];
  const std::size_t width = mark == '.' ? 4 : 2;
  std::string digits;
  for (std::size_t end = 0; end != mac.npos;) {
    end = mac.find(mark);
    const auto group = mac.substr(0, end);
    const std::size_t least = mark == '.' ? width : 1;
    if (group.size() < least || group.size() > width || digits.size() == digits_of_address || !is_hex(group))
      return {};
    digits.append(width - group.size(), '0').append(group);
    mac.remove_prefix(end == mac.npos ? mac.size() : end + 1);
  }
  return digits.size() == digits_of_address ? digits : std::string{};
}

} // namespace

std::string comparable_mac(std::string_view mac) {
  mac = rpc::text::trim(mac);
  const auto digits = digits_in(mac);
  std::string whole;
  whole.reserve(digits.size() * 3 / 2);
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    if (i > 0)
      whole += ':';
    whole.append(digits, i, 2);
  }
  if (digits.empty())
    whole = mac;
  std::ranges::transform(whole, whole.begin(), rpc::text::lower);
  return whole;
}

} // namespace mistify::store
