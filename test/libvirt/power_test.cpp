#include "fixture.hpp"

using namespace mistify;
using namespace mistify::test;

namespace {

struct power_fixture : libvirt_fixture {
  rpc::guest made() {
    rpc::guest g;
    g.id = id;
    g.memory = 64;
    return guest("CreateGuest", g);
  }
  /// Calls a method with further members of the request; returns the whole answer.
  std::string ask(std::string_view method, const rpc::guest& g, const std::string& members) {
    return call("Libvirt." + std::string{method},
                R"({"guest":)" + rpc::encode(g) + R"(,"action":"x",)" + members + "}");
  }
};

} // namespace

TEST_CASE_METHOD(power_fixture, "a guest says why it is off or paused, and nothing while it runs") {
  auto g = made();
  g = guest("Run", g);
  CHECK(g.state_reason.empty());
  CHECK(guest("Suspend", g).state_reason == "user");
  CHECK(guest("Resume", g).state == "running");
  CHECK(guest("Shutdown", g).state_reason == "shutdown");
  guest("Run", g);
  CHECK(guest("Poweroff", g).state_reason == "user");
}

TEST_CASE_METHOD(
  power_fixture,
  "a hibernated guest is off, and goes on or is deleted, also where libvirt keeps no XML of its saved state") {
  auto g = guest("Run", made());
  g = guest("Hibernate", g);
  CHECK(g.state == "shutoff");
  CHECK(g.state_reason == "hibernated");
  CHECK(guest("Hibernate", g).state == "shutoff");
  CHECK(guest("Resume", g).state == "running");
  guest("Hibernate", g);
  guest("Delete", g);
  CHECK_THROWS_WITH(guest("Run", g), Catch::Contains("no domain"));
}

TEST_CASE_METHOD(power_fixture, "a guest that is off neither hibernates nor goes on") {
  const auto g = guest("Run", made());
  guest("Poweroff", g);
  CHECK_THROWS_WITH(guest("Resume", g), Catch::Contains("conflict: the guest is off; start it"));
  CHECK_THROWS_WITH(guest("Hibernate", g), Catch::Contains("conflict: the guest is off"));
}

TEST_CASE_METHOD(power_fixture, "a repeated shutdown presses nothing, and asks to be repeated while the guest is on") {
  const auto g = guest("Run", made());
  const auto again = ask("Shutdown", g, R"("params":{"wait":30},"again":true)");
  CHECK(again.find(R"("retry":1)") != std::string::npos);
  CHECK(again.find(R"("state":"running")") != std::string::npos);
  CHECK(ask("Shutdown", g, R"("args":{"wait":"30"},"again":true)").find(R"("retry":1)") != std::string::npos);
  CHECK(ask("Shutdown", g, R"("again":true)").find("retry") == std::string::npos);
  const auto off = ask("Shutdown", g, R"("params":{"wait":30})");
  CHECK(off.find("retry") == std::string::npos); // the test driver's guests obey at once
  CHECK(off.find(R"("state":"shutoff")") != std::string::npos);
}

TEST_CASE_METHOD(power_fixture, "a reboot is over at once where no reset is told of") {
  const auto g = guest("Run", made());
  CHECK(ask("Reboot", g, R"("params":{"wait":30})").find("retry") == std::string::npos);
  CHECK(ask("Reboot", g, R"("params":{"wait":30},"again":true)").find("retry") == std::string::npos);
}

TEST_CASE_METHOD(power_fixture, "errors have a code beside their text") {
  const auto code_of = [&](std::string_view method, const rpc::guest& g) {
    try {
      guest(method, g);
      return rpc::errc::none;
    } catch (const rpc::failure& e) {
      return e.code();
    }
  };
  rpc::guest g;
  g.id = id;
  CHECK(code_of("Run", g) == rpc::errc::sub_agent_not_found);
  made();
  for (const auto* method : {"Resume", "Hibernate", "Suspend", "Reboot", "Restart"})
    CHECK(code_of(method, g) == rpc::errc::sub_agent_conflict);
  g.id = "no uuid";
  CHECK(code_of("Run", g) == rpc::errc::sub_agent_refused);
}
