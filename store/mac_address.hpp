#pragma once

#include <string>
#include <string_view>

namespace mistify::store {

/// Returns one spelling for all of an address: colons, two digits each, lower case. libvirt reads "52:54:0:AA:0:1" as
/// "52:54:00:aa:00:01", engines of containers also "52-54-00-aa-00-01" and "5254.00aa.0001". Twelve digits without marks
/// are one too. What is not an address stays as it is, in lower case.
std::string comparable_mac(std::string_view mac);

} // namespace mistify::store
