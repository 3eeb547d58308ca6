#include "guarded_agent.hpp"

#include <catch2/catch.hpp>

using namespace mistify::test;
using Catch::Contains;

namespace {

constexpr uid_t stranger = nobody - 1;
constexpr auto running = R"({"state":"running"})";

std::string put(const std::string& path, const std::string& body) {
  return "PUT " + path +
         " HTTP/1.1\r\nHost: agent\r\nConnection: close\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

std::string create(const guarded& agent, const std::string& admin) {
  const auto made = agent.with(admin, "POST", "/guests", R"({"type":"kvm"})");
  REQUIRE(made.status == 202);
  agent.with(admin, "GET", "/jobs/" + made.job() + "?wait=10s");
  return text_at(made.body, "id");
}

} // namespace

TEST_CASE("a client whom a rule lets report does so for its user's services, and for nothing without one") {
  if (::geteuid() != 0)
    return;
  const guarded agent{[](config_file& config) {
    config.services["other"] = R"({"socket":"/nowhere/other.sock","user":")" + std::to_string(nobody) + "\"}";
    config.stages("suspend", R"({"service":"other","method":"Other.Suspend"})");
    const auto rule = [](uid_t user) { return R"({"role":"sub-agent","user":")" + std::to_string(user) + "\"}"; };
    config.top["access"] = R"({"unix":[{"user":"root","role":"admin"},)" + rule(nobody) + ',' + rule(stranger) + "]}";
  }};
  const auto admin = agent.token(R"("name":"a","role":"admin")");
  const auto guest = create(agent, admin);
  const auto job = agent.with(admin, "POST", "/guests/" + guest + "/suspend").job();
  CHECK_THAT(agent.with(admin, "GET", "/jobs/" + job + "?wait=10s").body, Contains("unreachable"));
  const auto state = put("/guests/" + guest + "/state", running);
  const auto progress = put("/jobs/" + job + "/progress", R"({"message":"x"})");
  CHECK_THAT(ask(agent.socket, state, stranger), Contains(" 403 ") && Contains("belongs to another service"));
  CHECK_THAT(ask(agent.socket, progress, stranger), Contains(" 403 ") && Contains("belongs to another service"));
  CHECK_THAT(ask(agent.socket, state, nobody), Contains(" 200 "));
  CHECK_THAT(ask(agent.socket, progress, nobody), Contains(" 409 ")); // the job has ended
  CHECK_THAT(agent.root(state), Contains(" 200 "));
}

TEST_CASE("a service that only looks at guests or at the host reports no states of guests") {
  if (::geteuid() != 0)
    return;
  const guarded agent{[](config_file& config) {
    config.stages("hostInfo", R"({"service":"log","method":"Test.HostInfo"})");
    config.stages("cpuMetrics", R"({"service":"log","method":"Test.CpuMetrics"})");
    config.stages("createSnapshot", R"({"service":"log","method":"Test.CreateSnapshot"})");
    config.stages("suspend", R"({"service":"download","method":"Test.Suspend"})");
  }};
  const auto admin = agent.token(R"("name":"a","role":"admin")");
  const auto guest = create(agent, admin);
  const auto report_by = [&](const std::string& service) {
    const auto token = agent.token(R"("name":")" + service + R"(","role":"sub-agent","service":")" + service + '"');
    return agent.with(token, "PUT", "/guests/" + guest + "/state", running).status;
  };
  CHECK(report_by("log") == 403);
  CHECK(report_by("download") == 200);
  CHECK(report_by("test") == 200);
}
