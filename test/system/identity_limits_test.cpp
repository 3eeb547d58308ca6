#include "guarded_agent.hpp"

#include <catch2/catch.hpp>

#include <csignal>
#include <filesystem>
#include <utility>

using namespace mistify::test;
using Catch::Contains;

namespace {

bool is_root() {
  return ::geteuid() == 0; // only root may become somebody else
}

std::pair<std::string, std::string> create(const guarded& agent, const std::string& token) {
  const auto made = agent.with(token, "POST", "/guests", R"({"type":"kvm"})");
  CHECK(made.status == 202);
  agent.with(token, "GET", "/jobs/" + made.job() + "?wait=10s");
  return {text_at(made.body, "id"), made.job()};
}

} // namespace

TEST_CASE("a stream ends soon after its token is revoked") {
  if (!is_root())
    return;
  const guarded agent;
  const auto admin = agent.token(R"("name":"a","role":"admin")");
  const auto viewer = agent.token(R"("name":"v","role":"viewer")");
  raw_client reader{agent.h.http.port()};
  reader.send("GET /events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + viewer + "\r\n\r\n");
  CHECK_THAT(reader.receive(4096), Contains("200 OK"));
  CHECK(agent.with(admin, "DELETE", "/tokens/" + viewer.substr(4, 16)).status == 204);
  CHECK_THAT(reader.rest(), Contains("0\r\n\r\n"));
}

TEST_CASE("an identity that is limited to some guests cannot widen itself") {
  if (!is_root())
    return;
  const guarded agent;
  const auto admin = agent.token(R"("name":"a","role":"admin")");
  for (const auto* wrong :
       {R"({"name":"x","role":"admin","guests":["g"]})", R"({"name":"x","scopes":["debug"],"guests":["g"]})",
        R"({"name":"x","scopes":["report"]})", R"({"name":"x","role":"sub-agent"})",
        R"({"name":"x","role":"viewer","service":"test"})", R"({"name":"x","role":"king"})",
        R"({"name":"x","role":"viewer","guests":{"label":""}})",
        R"({"name":"x","role":"viewer","expires":"yesterday"})", R"({"name":"x","role":"viewer","Guests":[]})"}) {
    INFO(wrong);
    CHECK(agent.with(admin, "POST", "/tokens", wrong).status == 400);
  }
}

TEST_CASE("a report about a job of a guest that the identity may not see is not found") {
  if (!is_root())
    return;
  const guarded agent;
  const auto admin = agent.token(R"("name":"a","role":"admin")");
  const auto [mine, my_job] = create(agent, admin);
  const auto [other, other_job] = create(agent, admin);
  const auto reporter = agent.token(R"("name":"r","role":"sub-agent","service":"test","guests":[")" + mine + "\"]");
  CHECK(agent.with(reporter, "PUT", "/jobs/" + other_job + "/progress", R"({"message":"x"})").status == 404);
  CHECK(agent.with(reporter, "PUT", "/guests/" + other + "/state", R"({"state":"running"})").status == 404);
  CHECK(agent.with(reporter, "PUT", "/jobs/" + my_job + "/progress", R"({"message":"x"})").status ==
        409); // it has ended
}

TEST_CASE("no client gets into another identity's idempotency keys") {
  if (!is_root())
    return;
  const guarded agent;
  const auto one = agent.token(R"("name":"one","role":"controller")"),
             two = agent.token(R"("name":"two","role":"controller")");
  const auto post = [&](const std::string& token, const std::string& key) {
    return agent.h.http.send("POST", "/guests", R"({"type":"kvm"})",
                             {"Authorization: Bearer " + token, "Idempotency-Key: " + key});
  };
  const auto first = post(one, "k");
  CHECK(first.status == 202);
  CHECK(post(one, "k").job() == first.job());
  CHECK(post(two, "k").job() != first.job());
  CHECK(post(two, "token:" + one.substr(4, 16) + " k").job() != first.job());
}

TEST_CASE("access cannot be taken away while the agent runs") {
  if (!is_root())
    return;
  guarded agent;
  config_file open{agent.h.sub.port()};
  agent.h.agent.rewrite_config(open.text());
  agent.h.agent.running().signal(SIGHUP);
  CHECK(eventually([&] { return agent.h.agent.log().find("cannot be read again") != std::string::npos; }));
  CHECK(agent.h.http.get("/guests").status == 401);
}

TEST_CASE("an agent that stops leaves the socket of another one alone") {
  if (!is_root())
    return;
  guarded agent;
  std::filesystem::remove(agent.socket);
  const auto other = listen_at_path(agent.socket);
  CHECK(agent.h.agent.stop() == 0);
  CHECK(std::filesystem::exists(agent.socket));
}

TEST_CASE("refused requests count towards the rate of their client") {
  if (!is_root())
    return;
  const house h{[](config_file& config) {
    config.top["access"] = "{}";
    config.top["limits"] = R"({"requests_per_second":3})";
  }};
  int refused = 0, too_many = 0;
  for (int i = 0; i < 12; ++i) {
    const auto status = h.http.get("/guests").status;
    refused += status == 401;
    too_many += status == 429;
  }
  CHECK(refused > 0);
  CHECK(too_many > 0);
}
