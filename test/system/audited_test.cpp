#include "guarded_agent.hpp"

#include <catch2/catch.hpp>

using namespace mistify::test;
using Catch::Contains;

namespace {

bool is_root() {
  return ::geteuid() == 0;
}

/// What the audit has for that query, once it has the text.
bool audited(const guarded& agent, const std::string& query, const std::string& text) {
  return eventually([&] { return agent.root(get("/audit?" + query)).find(text) != std::string::npos; });
}

} // namespace

TEST_CASE("the audit says of a client without an identity that it is anonymous") {
  if (!is_root())
    return;
  const guarded agent;
  CHECK(agent.h.http.get("/guests").status == 401);
  CHECK(audited(agent, "how=anonymous", R"("how":"anonymous","scope":"read","decision":"refused","status":401)"));
  CHECK_THAT(agent.root(get("/audit?how=nobody")), Contains(" 400 "));
}

TEST_CASE("the audit has reports that change a guest, and those about guests of other services") {
  if (!is_root())
    return;
  const guarded agent;
  const auto admin = agent.token(R"("name":"a","role":"admin")");
  const auto made = agent.with(admin, "POST", "/guests", R"({"type":"kvm"})");
  const auto guest = text_at(made.body, "id"), path = "/guests/" + guest + "/state";
  agent.with(admin, "GET", "/jobs/" + made.job() + "?wait=10s");
  const auto owner = agent.token(R"("name":"owner","role":"sub-agent","service":"test")"),
             other = agent.token(R"("name":"other","role":"sub-agent","service":"download")");
  const auto report = [&](const std::string& token, const std::string& state) {
    return agent.with(token, "PUT", path, R"({"state":")" + state + "\"}").status;
  };
  CHECK(report(owner, "paused") == 200);
  CHECK(report(owner, "paused") == 200); // nothing new
  CHECK(report(other, "running") == 403);
  CHECK(audited(agent, "who=owner", R"("how":"token","scope":"report","decision":"accepted","status":200)"));
  CHECK(audited(agent, "who=owner", R"("action":"report paused")"));
  CHECK(audited(agent, "who=other", R"("scope":"report","decision":"refused","status":403)"));
  const auto entries = agent.with(admin, "GET", "/audit?who=owner").body;
  CHECK(entries.find("report paused") == entries.rfind("report paused"));
  CHECK_THAT(agent.h.agent.log(), Contains(R"("user":"owner")"));
}

TEST_CASE("the audit says which token was made") {
  if (!is_root())
    return;
  const guarded agent;
  const auto token = agent.token(R"("name":"watcher","role":"viewer")");
  CHECK(audited(agent, "path=/tokens", R"("action":"create token )" + token.substr(4, 16) + R"( watcher")"));
  CHECK(eventually([&] { return agent.h.agent.log().find(token.substr(4, 16) + " watcher") != std::string::npos; }));
}

TEST_CASE("the audit has requests that are for another Host, or for no clear one") {
  if (!is_root())
    return;
  const guarded agent;
  const auto status_of = [&](const std::string& host) {
    raw_client client{agent.h.http.port()};
    client.send("GET /guests HTTP/1.1\r\n" + host + "\r\n");
    return client.answer().status;
  };
  CHECK(status_of("Host: evil.example\r\n") == 421);
  CHECK(status_of("Host: localhost\r\nHost: localhost\r\n") == 400);
  CHECK(audited(agent, "decision=refused", R"("decision":"refused","status":421,"method":"GET","path":"/guests")"));
  CHECK(audited(agent, "decision=refused", R"("decision":"refused","status":400,"method":"GET","path":"/guests")"));
  CHECK(eventually([&] { return agent.h.agent.log().find(R"("status":"421")") != std::string::npos; }));
}
