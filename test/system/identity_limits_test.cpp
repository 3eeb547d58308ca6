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
        R"({"name":"x","role":"viewer","guests":{"label":""}})", R"({"name":"x","role":"viewer","guests":["nouuid"]})",
        R"({"name":"x","role":"viewer","expires":"yesterday"})", R"({"name":"x","role":"viewer","Guests":[]})",
        "{\"name\":\"x\u202ey\",\"role\":\"viewer\"}", "{\"name\":\"x\u009by\",\"role\":\"viewer\"}",
        R"({"name":"x\u2066y","role":"viewer"})", R"({"name":"x\u0007","role":"viewer"})",
        R"({"name":"x","role":"viewer","guests":[],"guests":null})", R"({"name":"x","role":"viewer","role":"admin"})",
        R"({"name":"x","role":"viewer","guests":{"label":"a=b","label":"c=d"}})"}) {
    INFO(wrong);
    CHECK(agent.with(admin, "POST", "/tokens", wrong).status == 400);
  }
}

TEST_CASE("a token shows each of its guests once, as the guest's id is written") {
  if (!is_root())
    return;
  const guarded agent;
  const auto admin = agent.token(R"("name":"a","role":"admin")");
  const std::string upper = "AAAAAAAA-BBBB-4CCC-8DDD-EEEEEEEEEEEE", lower = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee";
  const auto made = agent.with(admin, "POST", "/tokens",
                               R"({"name":"x","role":"viewer","guests":[")" + upper + R"(",")" + lower + "\"]}");
  CHECK(made.status == 201);
  CHECK(at(made.body, "guests") == "[\"" + lower + "\"]");
  CHECK(at(agent.with(text_at(made.body, "token"), "GET", "/whoami").body, "guests") == "[\"" + lower + "\"]");
}

TEST_CASE("an identity that is limited to some guests fetches images, and deletes none") {
  if (!is_root())
    return;
  guarded agent;
  agent.h.sub.on("Test.ListImages", [](const call& c) { return result(c, R"({"images":[{"id":"i","type":"kvm"}]})"); });
  agent.h.sub.on("Test.GetImage", [](const call& c) { return result(c, R"({"images":[{"id":"i","type":"kvm"}]})"); });
  const auto whole = agent.token(R"("name":"c","role":"controller")"),
             limited = agent.token(R"("name":"l","role":"controller","guests":{"label":"team=red"})");
  CHECK(agent.with(limited, "POST", "/images", R"({"id":"j","source":"http://192.0.2.1/image"})").status == 202);
  for (const auto* path : {"/images/i", "/images/none", "/container_images/i"})
    CHECK(agent.with(limited, "DELETE", path).status == 403);
  CHECK(agent.with(whole, "DELETE", "/images/i").status == 202);
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

TEST_CASE(
  "an identity that is limited by a label reads the job of its own delete, and of no other guest that is gone") {
  if (!is_root())
    return;
  const guarded agent;
  const auto admin = agent.token(R"("name":"a","role":"admin")");
  const auto limited = agent.token(R"("name":"l","role":"controller","guests":{"label":"team=red"})");
  const auto make = [&](const std::string& token, const std::string& team) {
    const auto made = agent.with(token, "POST", "/guests", R"({"type":"kvm","labels":{"team":")" + team + "\"}}");
    REQUIRE(made.status == 202);
    agent.with(admin, "GET", "/jobs/" + made.job() + "?wait=10s");
    return text_at(made.body, "id");
  };
  const auto mine = make(limited, "red"), other = make(admin, "blue");
  const auto gone = agent.with(limited, "DELETE", "/guests/" + mine),
             foreign = agent.with(admin, "DELETE", "/guests/" + other);
  REQUIRE(gone.status == 202);
  REQUIRE(foreign.status == 202);
  agent.with(admin, "GET", "/jobs/" + gone.job() + "?wait=10s");
  agent.with(admin, "GET", "/jobs/" + foreign.job() + "?wait=10s");
  CHECK(agent.with(limited, "GET", "/jobs/" + gone.job()).status == 200);
  CHECK_THAT(agent.with(limited, "GET", "/jobs").body, Contains(gone.job()) && !Contains(foreign.job()));
  CHECK(agent.with(limited, "GET", "/jobs/" + foreign.job()).status == 404);
  const auto fetch = agent.with(limited, "POST", "/images", R"({"id":"image","source":"http://192.0.2.1/image"})");
  REQUIRE(fetch.status == 202);
  CHECK(agent.with(limited, "GET", "/jobs/" + fetch.job()).status == 200);
}

TEST_CASE("a job of a guest that an identity may not see does not exist for it, whatever it tries") {
  if (!is_root())
    return;
  guarded agent;
  const auto admin = agent.token(R"("name":"a","role":"admin")");
  const auto [mine, my_job] = create(agent, admin);
  const auto [other, other_job] = create(agent, admin);
  const auto powerful = agent.token(R"("name":"p","scopes":["read","power"],"guests":[")" + mine + "\"]");
  CHECK(agent.with(powerful, "DELETE", "/jobs/" + other_job).status == 404); // a create: it lacks the scope too
  CHECK(agent.with(powerful, "DELETE", "/jobs/nothing").status == 404);
  CHECK(agent.with(powerful, "DELETE", "/jobs/" + my_job).status == 403);
}

TEST_CASE("an identity that is limited by a label learns nothing of other guests by their ids") {
  if (!is_root())
    return;
  const guarded agent;
  const auto admin = agent.token(R"("name":"a","role":"admin")");
  const auto limited = agent.token(R"("name":"l","role":"controller","guests":{"label":"team=red"})");
  const auto [other, job] = create(agent, admin);
  const auto refused =
    agent.with(limited, "POST", "/guests", R"({"type":"kvm","labels":{"team":"red"},"id":")" + other + "\"}");
  CHECK(refused.status == 403);
  // The id comes to the identity's team: what the guest before went through stays hidden.
  const auto gone = agent.with(admin, "DELETE", "/guests/" + other);
  agent.with(admin, "GET", "/jobs/" + gone.job() + "?wait=10s");
  const auto made =
    agent.with(admin, "POST", "/guests", R"({"type":"kvm","labels":{"team":"red"},"id":")" + other + "\"}");
  REQUIRE(made.status == 202);
  const auto history = agent.with(limited, "GET", "/guests/" + other + "/jobs").body;
  CHECK_THAT(history, Contains(made.job()) && !Contains(job) && !Contains(gone.job()));
  CHECK(agent.with(limited, "GET", "/jobs/" + made.job()).status == 200);
  CHECK(agent.with(limited, "GET", "/jobs/" + job).status == 404);
  CHECK_THAT(agent.with(limited, "GET", "/jobs").body, Contains(made.job()) && !Contains(gone.job()));
}

TEST_CASE("a token that is rotated twice keeps each secret for its ten minutes") {
  if (!is_root())
    return;
  const guarded agent;
  const auto admin = agent.token(R"("name":"a","role":"admin")"), first = agent.token(R"("name":"v","role":"viewer")");
  const auto rotate = [&] {
    return text_at(agent.with(admin, "POST", "/tokens/" + first.substr(4, 16) + "/rotate").body, "token");
  };
  const auto second = rotate(), third = rotate();
  for (const auto& token : {first, second, third})
    CHECK(agent.with(token, "GET", "/guests").status == 200);
}

TEST_CASE("the audit has who changed, read and was refused what, for admins only") {
  if (!is_root())
    return;
  guarded agent;
  const auto admin = agent.token(R"("name":"boss","role":"admin")");
  const auto viewer = agent.token(R"("name":"watcher","role":"viewer")");
  const auto [guest, job] = create(agent, admin);
  CHECK(agent.with(viewer, "PATCH", "/metadata", R"({"a":"b"})").status == 403);
  CHECK(agent.with(admin, "PATCH", "/metadata", R"({"a":"b"})").status == 200);
  CHECK(agent.with(viewer, "GET", "/audit").status == 403);
  const auto find = [&](const std::string& query) { return agent.with(admin, "GET", "/audit" + query).body; };
  CHECK_THAT(find("?who=boss&scope=guest"),
             Contains(guest) && Contains(job) && Contains(R"("action":"create")") && Contains(R"("how":"token")"));
  CHECK_THAT(find("?path=/metadata&decision=accepted"), Contains(R"("who":"boss")") && !Contains("watcher"));
  CHECK_THAT(find("?path=/tokens"), Contains(R"("who":"root")") && Contains("uid=0"));
  CHECK(eventually(
    [&] { return find("?decision=refused&who=watcher").find(R"("scope":"metadata")") != std::string::npos; }));
  CHECK(eventually([&] { return find("?path=/audit&who=watcher").find("403") != std::string::npos; }));
  CHECK_THAT(find(""), !Contains("token:"));
  for (const auto* wrong : {"?whom=x", "?decision=maybe", "?since=yesterday", "?scope=king", "?who=", "?limit=x"}) {
    INFO(wrong);
    CHECK(agent.with(admin, "GET", std::string{"/audit"} + wrong).status == 400);
  }
  agent.h.agent.kill_and_start();
  CHECK_THAT(find("?guest=" + guest), Contains(job));
}

TEST_CASE("an identity that is limited by a label cannot patch a guest out of its sight") {
  if (!is_root())
    return;
  const guarded agent;
  const auto admin = agent.token(R"("name":"a","role":"admin")");
  const auto limited = agent.token(R"("name":"l","role":"controller","guests":{"label":"team=red"})");
  const auto made = agent.with(limited, "POST", "/guests", R"({"type":"kvm","labels":{"team":"red"}})");
  REQUIRE(made.status == 202);
  agent.with(admin, "GET", "/jobs/" + made.job() + "?wait=10s");
  const auto at = "/guests/" + text_at(made.body, "id");
  for (const auto* wrong : {R"({"labels":{"team":"blue"}})", R"({"labels":{"team":null}})", R"({"labels":null})",
                            R"({"labels":{"team":"blue"},"apply":"either"})"}) {
    INFO(wrong);
    CHECK(agent.with(limited, "PATCH", at, wrong).status == 403);
  }
  CHECK(agent.with(limited, "PATCH", at, R"({"labels":{"team":"red","tier":"1"}})").status == 202);
  CHECK(agent.with(limited, "PATCH", at, R"({"name":"web"})").status == 202);
  CHECK(agent.with(admin, "PATCH", at, R"({"labels":{"team":"blue"}})").status == 202);
  CHECK(agent.with(limited, "PATCH", at, R"({"name":"db"})").status == 404);
}
