#include "http/protocol/path_captures.hpp"

#include <catch2/catch.hpp>

#include <stdexcept>

using mistify::http::path_captures;

TEST_CASE("captures are found by name") {
  path_captures of;
  of.add("guest", "g1");
  of.add("disk", "0");
  CHECK(of["guest"] == "g1");
  CHECK(of["disk"] == "0");
  CHECK(of.size() == 2);
  of["guest"] = "g2";
  CHECK(of["guest"] == "g2");
  CHECK(*of.find("disk") == "0");
}

TEST_CASE("a name that the pattern does not have is a programming error, unless it is only looked for") {
  path_captures of;
  of.add("guest", "g1");
  CHECK(of.find("nic") == nullptr);
  CHECK(of.find("gues") == nullptr);
  CHECK_THROWS_AS(of["nic"], std::logic_error);
  CHECK_THROWS_AS(std::as_const(of)["nic"], std::logic_error);
}
