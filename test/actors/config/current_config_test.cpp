#include "actors/config/current_config.hpp"

#include <catch2/catch.hpp>

#include <memory>

using namespace mistify::actors;

namespace {

config with_actions(const std::string& actions) {
  return parse_config({{"f.json", R"({"services":{"s":{"port":1}},"actions":{)" + actions + "}}"}});
}

} // namespace

TEST_CASE("who has an action or a config keeps it when another config takes its place") {
  current_config now{with_actions(R"("reboot":{"stages":[{"service":"s","method":"T.Reboot"}]})")};
  const auto before = now.get();
  const auto action = now.find_action("reboot");
  REQUIRE(action);
  now.replace(std::make_shared<const config>(with_actions(R"("start":{"stages":[]})")));
  CHECK_FALSE(now.find_action("reboot"));
  CHECK(now.find_action("start"));
  CHECK(before->find_action("reboot") == action);
  CHECK(action->stages.at(0).method == "T.Reboot");
}
