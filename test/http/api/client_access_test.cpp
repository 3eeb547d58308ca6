#include "http/api/client_access.hpp"

#include <catch2/catch.hpp>

using namespace mistify::http;
using mistify::actors::clients;

TEST_CASE("guarded routes are for clients on this machine, unless the config says otherwise") {
  for (const auto* near : {"127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1", "local"})
    CHECK_FALSE(refuse_client(clients::loopback, near, "debug.access"));
  for (const auto* far : {"10.0.0.1", "128.0.0.1", "::2", "fe80::1", "::ffff:10.0.0.1", ""}) {
    INFO(far);
    const auto no = refuse_client(clients::loopback, far, "debug.access");
    REQUIRE(no);
    CHECK(no->status == 403);
    CHECK_FALSE(refuse_client(clients::any, far, "debug.access"));
  }
}

TEST_CASE("guarded routes that are switched off refuse everybody, and say how") {
  for (const auto* peer : {"127.0.0.1", "10.0.0.1"}) {
    const auto no = refuse_client(clients::off, peer, "debug.access");
    REQUIRE(no);
    CHECK(no->status == 403);
    CHECK(no->text().find("debug.access") != std::string::npos);
  }
}
