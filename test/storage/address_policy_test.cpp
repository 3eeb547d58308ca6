#include "rpc/fetch/address_policy.hpp"

#include <catch2/catch.hpp>

using namespace mistify::fetching;

namespace {

bool may(const address_policy& policy, const std::string& address) {
  const auto parsed = ip_address::parse(address);
  REQUIRE(parsed);
  return !policy.objection(*parsed);
}

} // namespace

TEST_CASE("addresses of the Internet may be connected to") {
  const address_policy policy;
  for (const auto* good :
       {"8.8.8.8", "1.0.0.0", "9.255.255.255", "11.0.0.1", "100.63.255.255", "100.128.0.0", "126.255.255.255",
        "128.0.0.1", "172.15.255.255", "172.32.0.0", "192.167.255.255", "192.169.0.0", "223.255.255.255",
        "2606:2800:220:1::1", "2a00::1", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"}) {
    INFO(good);
    CHECK(may(policy, good));
  }
}

TEST_CASE(
  "addresses of this host, of nets around it, and of nobody may not be connected to, however they are written") {
  const address_policy policy;
  for (const auto* bad :
       {"127.0.0.1",   "127.255.255.254", "0.0.0.0",         "0.1.2.3",    "10.0.0.1",        "10.255.255.255",
        "100.64.0.1",  "100.127.255.255", "169.254.169.254", "172.16.0.1", "172.31.255.255",  "192.0.0.8",
        "192.0.2.1",   "192.88.99.1",     "192.168.1.1",     "198.18.0.1", "198.19.255.255",  "198.51.100.7",
        "203.0.113.7", "224.0.0.1",       "239.255.255.255", "240.0.0.1",  "255.255.255.255", "::",
        "::1",         "fe80::1",         "febf::1",         "fec0::1",    "fc00::1",         "fdff::1",
        "ff02::1",     "2001:db8::1",     "2001::1",         "2001:10::1", "3fff::1",         "100::1",
        "4000::1",     "5f00::1",         "64:ff9b:1::a00:1"}) {
    INFO(bad);
    CHECK_FALSE(may(policy, bad));
  }
  for (const auto* hidden : {"::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:0.0.0.0", "::127.0.0.1", "::10.0.0.1",
                             "::8.8.8.8", "::ffff:0:127.0.0.1", "64:ff9b::127.0.0.1", "64:ff9b::10.0.0.1",
                             "64:ff9b::169.254.169.254", "2002:7f00:1::1", "2002:a00:1::", "2002:c0a8:101::1",
                             "2606:2800::5efe:10.0.0.1", "2606:2800::200:5efe:127.0.0.1", "2001:0:a00:1::1"}) {
    INFO(hidden);
    CHECK_FALSE(may(policy, hidden));
  }
}

TEST_CASE("what the operator allows may be connected to, and nothing beside it") {
  const address_policy policy{{"10.1.0.0/16", "192.168.7.9", "fd00:1::/33"}};
  for (const auto* good : {"10.1.0.0", "10.1.255.255", "::ffff:10.1.2.3", "64:ff9b::10.1.2.3", "192.168.7.9",
                           "fd00:1:7fff::1", "8.8.8.8"}) {
    INFO(good);
    CHECK(may(policy, good));
  }
  for (const auto* bad :
       {"10.0.255.255", "10.2.0.0", "192.168.7.8", "192.168.7.10", "fd00:1:8000::1", "fd00:2::1", "127.0.0.1", "::1"}) {
    INFO(bad);
    CHECK_FALSE(may(policy, bad));
  }
  CHECK(may(address_policy{{"127.0.0.1/8"}}, "127.9.9.9"));
  CHECK(may(address_policy{{"0.0.0.0/0"}}, "10.0.0.1"));
  CHECK_FALSE(may(address_policy{{"0.0.0.0/0"}}, "::1"));
  CHECK_FALSE(may(address_policy{{"::/0"}}, "10.0.0.1"));
  CHECK(may(address_policy{{"::1"}}, "::1"));
}

TEST_CASE("public addresses of this host itself may not be connected to unless they are allowed") {
  const auto own = ip_address::parse("93.184.216.34");
  const auto is_own = [&](const ip_address& a) { return a == own; };
  CHECK_FALSE(may(address_policy{{}, is_own}, "93.184.216.34"));
  CHECK_FALSE(may(address_policy{{}, is_own}, "64:ff9b::93.184.216.34"));
  CHECK(may(address_policy{{}, is_own}, "93.184.216.35"));
  CHECK(may(address_policy{{"93.184.216.34"}, is_own}, "93.184.216.34"));
  CHECK(is_of_this_host(ip_address::parse("127.0.0.1").value()));
  CHECK_FALSE(is_of_this_host(ip_address::parse("198.51.100.7").value()));
}

TEST_CASE("a network that is none is refused by name") {
  for (const std::string bad : {"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8x", "10.0.0/8",
                                "fd00::/129", "localhost", "10.0.0.0/8 ", "fe80::1%lo"})
    CHECK_THROWS_WITH(address_policy{{bad}}, "no network: " + bad);
}
