#include "http/client/request_key.hpp"

#include "http/client/failure.hpp"

#include <array>
#include <string_view>
#include <sys/random.h>

namespace mistify::client {

std::string new_request_key() {
  constexpr std::string_view hex = "0123456789abcdef";
  std::array<unsigned char, 16> bytes{};
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
    throw failure{fault::local, "the kernel has no random bytes"};
  std::string key;
  for (const auto byte : bytes)
    key.append({hex[byte >> 4U], hex[byte & 15U]});
  return key;
}

} // namespace mistify::client
