#include "store/guest_facts.hpp"

#include <catch2/catch.hpp>

using namespace mistify;

namespace {

std::vector<std::string> macs_of(const std::string& text) {
  rpc::guest guest;
  guest.nics.emplace_back().mac = text;
  return store::facts_of(guest).macs;
}

} // namespace

TEST_CASE("MAC addresses that differ in their spelling only are the same") {
  const std::string one = "52:54:00:aa:00:01";
  for (const auto* mac : {"52:54:00:aa:00:01", "52:54:0:AA:0:1", " 52:54:00:aa:00:01\t", "52-54-00-AA-00-01",
                          "52-54-0-aa-0-1", "5254.00AA.0001", "525400aA0001"})
    CHECK(macs_of(mac) == std::vector{one});
}

TEST_CASE("what is no MAC address is compared as it is, but for the case of its letters") {
  CHECK(macs_of("").empty());
  for (const std::string text : {"any",
                                 "52",
                                 "525400aa001",
                                 "525400aa00011",
                                 "52:54:00:aa:00",
                                 "52:54:00:aa:00:01:02",
                                 "52:54:00:aa:00:01:",
                                 ":52:54:00:aa:00:01",
                                 "52:54:00:aa::01",
                                 "52:54:00:aa:00:001",
                                 "52:54:00-aa-00-01",
                                 "52:54:00:aa:00:0g",
                                 "52.54.00.aa.00.01",
                                 "5254.00aa",
                                 "5254.00aa.0001.0000",
                                 "5254.aa.1",
                                 "a.b.c",
                                 ":",
                                 "-",
                                 "."})
    CHECK(macs_of(text) == std::vector{text});
  CHECK(macs_of("Any") == std::vector<std::string>{"any"});
}
