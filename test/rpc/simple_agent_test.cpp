#include "rpc/agents/examples/simple_agent/simple_agent.hpp"
#include "test/rpc/agent_calls.hpp"

#include <catch2/catch.hpp>

using namespace mistify;

TEST_CASE("the simple agent gives back the guest of every action") {
  agents::simple_agent agent{0, 0};
  test::caller call{agent.server()};
  for (const std::string action : {"Create", "Delete", "Reboot", "Restart", "Poweroff", "Shutdown", "Start", "Suspend"})
    CHECK(call("SimpleAgent." + action, R"({"guest":{"id":"g","own":1},"action":"x"})") ==
          R"({"guest":{"id":"g","own":1}})");
}

TEST_CASE("the simple agent answers the method of the original's example") {
  agents::simple_agent agent{0, 0};
  test::caller call{agent.server()};
  CHECK(call("Simple.DoStuff", R"({"guest":{"id":"g","own":1},"action":"x"})") == R"({"guest":{"id":"g","own":1}})");
}

TEST_CASE("the simple agent fails as often as told") {
  agents::simple_agent agent{0, 100};
  test::caller call{agent.server()};
  CHECK_THROWS_WITH(call("SimpleAgent.Reboot", R"({"guest":{"id":"g"},"action":"reboot"})"), "reboot failed by chance");
}
