#include "rpc/agents/container/registry_policy.hpp"

#include "rpc/fetch/address_policy.hpp"
#include "rpc/fetch/url_reader.hpp"

#include <memory>
#include <netdb.h>
#include <stdexcept>

namespace mistify::agents::container {

namespace {

constexpr std::string_view default_registry = "docker.io";

using address_list = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

address_list addresses_of(const std::string& host) {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const bool is_known = ::getaddrinfo(host.c_str(), nullptr, &wanted, &found) == 0;
  return {is_known ? found : nullptr, &::freeaddrinfo};
}

} // namespace

std::string registry_host(const image_tag& of) {
  const auto first = of.repository.substr(0, of.repository.find('/'));
  return first.substr(0, first.find(':'));
}

void expect_registry(const image_tag& of, const std::vector<std::string>& allowed) {
  const auto host = registry_host(of);
  if (host == default_registry)
    return;
  const fetching::address_policy policy{allowed, &fetching::is_of_this_host};
  const auto found = addresses_of(host);
  for (const auto* at = found.get(); at; at = at->ai_next)
    if (const auto address = fetching::ip_address::of(*at->ai_addr))
      if (const auto objection = policy.objection(*address))
        throw fetching::source_refused{"the registry " + host +
                                       " has an address that images may not come from: " + std::string{*objection}};
}

} // namespace mistify::agents::container
