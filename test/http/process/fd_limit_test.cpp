#include "http/process/fd_limit.hpp"

#include <catch2/catch.hpp>
#include <sys/resource.h>

using namespace mistify::http;

TEST_CASE("the connections that are wanted are given where the descriptors suffice") {
  CHECK(connections_that_fit(4096, 65536, 16) == 4096);
  CHECK(connections_that_fit(10, 1024, 16) == 10);
}

TEST_CASE("calls to sub-agents and the agent itself have their descriptors before connections do") {
  const auto fit = connections_that_fit(4096, 1024, 16);
  CHECK(fit < 1024 - 16);
  CHECK(fit > 512);
  CHECK(connections_that_fit(4096, 1024, 116) == fit - 100);
}

TEST_CASE("a few connections are given whatever the limit") {
  CHECK(connections_that_fit(4096, 0, 0) == 16);
  CHECK(connections_that_fit(4096, 100, 100'000) == 16);
  CHECK(connections_that_fit(4, 0, 0) == 4);
}

TEST_CASE("the limit on descriptors is raised as far as the system allows") {
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  const rlimit low{256, before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &low) == 0);
  CHECK(raise_descriptor_limit() == before.rlim_max);
  rlimit after{};
  ::getrlimit(RLIMIT_NOFILE, &after);
  CHECK(after.rlim_cur == before.rlim_max);
  CHECK(::setrlimit(RLIMIT_NOFILE, &before) == 0);
}
