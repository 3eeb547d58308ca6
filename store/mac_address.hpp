#pragma once

#include <string>
#include <string_view>

namespace mistify::store {

/// One spelling for all of an address: libvirt takes "52:54:0:AA:0:1" for "52:54:00:aa:00:01". What is no address stays as
/// it is, in lower case.
std::string comparable_mac(std::string_view mac);

} // namespace mistify::store
