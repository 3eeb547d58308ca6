#include "store/mac_address.hpp"

#include "rpc/base/text.hpp"

#include <algorithm>

namespace mistify::store {

std::string comparable_mac(std::string_view mac) {
  std::string whole;
  const auto add = [&](std::string_view octet) {
    if (octet.size() == 1)
      whole += '0';
    for (const char c : octet)
      whole += rpc::text::lower(c);
  };
  mac = rpc::text::trim(mac);
  for (auto colon = mac.find(':'); colon != mac.npos; colon = mac.find(':')) {
    add(mac.substr(0, colon));
    whole += ':';
    mac.remove_prefix(colon + 1);
  }
  add(mac);
  return whole;
}

} // namespace mistify::store
