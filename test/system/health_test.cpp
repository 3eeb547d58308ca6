#include "house.hpp"

#include <catch2/catch.hpp>

#include <csignal>

using namespace mistify::test;

TEST_CASE("the agent is alive, and ready when its database takes writes") {
  house h;
  const auto alive = h.http.get("/healthz");
  CHECK(alive.status == 200);
  CHECK(text_at(alive.body, "status") == "alive");
  const auto ready = h.http.get("/readyz");
  CHECK(ready.status == 200);
  CHECK(text_at(ready.body, "status") == "ready");
  CHECK(at(ready.body, "draining") == "false");
  CHECK(at(ready.body, "database/ok") == "true");
  CHECK(at(ready.body, "actors/ok") == "true");
  CHECK(at(ready.body, "services/test/reachable") == "true");
  CHECK(at(ready.body, "services/test/port") == std::to_string(h.sub.port()));
}

TEST_CASE("a sub-agent that cannot be reached is told, and the agent is ready all the same") {
  const auto nobody = free_port();
  house h{[&](config_file& c) { c.services["nobody"] = R"({"port":)" + std::to_string(nobody) + "}"; }};
  const auto ready = h.http.get("/readyz");
  CHECK(ready.status == 200);
  CHECK(at(ready.body, "services/nobody/reachable") == "false");
  CHECK(text_at(ready.body, "services/nobody/error") == "Connection refused");
  CHECK(at(ready.body, "services/test/reachable") == "true");
}

TEST_CASE("sub-agents that hang hold up neither answer") {
  house h;
  const auto id = h.create_guest();
  h.sub.on("Test.Reboot", [](const call&) { return hang(); });
  h.http.post("/guests/" + id + "/reboot");
  REQUIRE(h.sub.wait_for("Test.Reboot", 1));
  CHECK(h.http.get("/healthz").status == 200);
  CHECK(h.http.get("/readyz").status == 200);
}

TEST_CASE("an agent that drains is alive but not ready, and says so as every error does") {
  house h{[](config_file& c) { c.top["drain_timeout"] = "60"; }};
  const auto id = h.create_guest();
  gate door;
  h.sub.on("Test.Reboot", [&](const call& c) {
    door.wait();
    return echo(c);
  });
  h.http.post("/guests/" + id + "/reboot");
  REQUIRE(h.sub.wait_for("Test.Reboot", 1));
  h.agent.running().signal(SIGTERM);
  REQUIRE(eventually([&] { return h.http.get("/readyz").status == 503; }));
  const auto draining = h.http.get("/readyz");
  CHECK(error_message(draining) == "the agent is stopping");
  CHECK(text_at(draining.body, "status") == "not ready");
  CHECK(at(draining.body, "draining") == "true");
  CHECK(draining.header("retry-after") == "1");
  CHECK(h.http.get("/healthz").status == 200);
  door.open();
  CHECK(h.agent.running().wait() == 0);
}
