#include "rpc/agents/libvirt/vnc.hpp"

#include <catch2/catch.hpp>

using namespace mistify;
using agents::expect_vnc;
using agents::parse_vnc_ports;

TEST_CASE("ports of VNC are a range from 5900 on") {
  const auto range = parse_vnc_ports("5900-5905");
  CHECK(range.holds(5900));
  CHECK(range.holds(5905));
  CHECK_FALSE(range.holds(5906));
  CHECK(parse_vnc_ports("5901").text() == "5901-5901");
  for (const auto* bad :
       {"", "-", "5899-5900", "5901-5900", "5900-65536", "a-b", "5900-", "-5900", "5900-5901x", "+5900"})
    CHECK_THROWS_AS(parse_vnc_ports(bad), std::invalid_argument);
}

TEST_CASE("VNC that is asked for needs a port of the range and a password of 1 to 8 characters") {
  rpc::guest g;
  CHECK_NOTHROW(expect_vnc(g, {}));
  for (const auto port : {5900, -1}) {
    g = {};
    g.vnc = port;
    CHECK_THROWS_WITH(expect_vnc(g, {}), Catch::StartsWith("vnc: needs a password"));
    for (const auto* bad : {"", "ninechars", "a\n", "\x7f", "ä"}) {
      g.metadata["vnc.password"] = bad;
      CHECK_THROWS_AS(expect_vnc(g, {}), std::invalid_argument);
    }
    g.metadata["vnc.password"] = "eightchr";
    CHECK_NOTHROW(expect_vnc(g, {}));
  }
  for (const auto port : {1, 80, 5899, 6000, -2}) {
    g.vnc = port;
    CHECK_THROWS_WITH(expect_vnc(g, {}), Catch::StartsWith("vnc: must be a port of 5900-5999"));
  }
}
