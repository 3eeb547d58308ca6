#include "store/guest_facts.hpp"

#include <catch2/catch.hpp>

using namespace mistify;

TEST_CASE("MAC addresses that differ in their spelling only are the same") {
  rpc::guest guest;
  for (const auto* mac : {"52:54:00:aa:00:01", "52:54:0:AA:0:1", " 52:54:00:aa:00:01\t", "", "Any"})
    guest.nics.emplace_back().mac = mac;
  const std::string one = "52:54:00:aa:00:01";
  CHECK(store::facts_of(guest).macs == std::vector<std::string>{one, one, one, "any"});
}
