#include "guarded_agent.hpp"

#include "rpc/base/json.hpp"
#include "rpc/base/time.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <map>
#include <regex>

using namespace mistify::test;
using Catch::Contains;

TEST_CASE("the kernel says who a client of the unix socket is") {
  if (::geteuid() != 0)
    return; // only root may become somebody else
  const guarded agent;
  const auto root = agent.root(get("/whoami"));
  CHECK_THAT(root, Contains("200 OK") && Contains(R"("name":"root","how":"unix","role":"admin")"));
  CHECK_THAT(agent.root(get("/guests")), Contains("200 OK"));
  CHECK_THAT(ask(agent.socket, get("/guests"), nobody), Contains("401") && Contains("WWW-Authenticate: Bearer"));
  CHECK_THAT(ask(agent.socket, get("/whoami"), nobody), Contains("401"));
  CHECK_THAT(ask(agent.socket, get("/healthz"), nobody), Contains("200 OK"));
}

TEST_CASE("without access the unix socket is for the agent's user and group only") {
  if (::geteuid() != 0)
    return;
  temp_dir dir;
  ::chmod(dir.path().c_str(), 0755);
  const auto socket = (dir.path() / "agent.sock").string();
  const house open{[&](config_file& config) { config.top["http"] = R"({"listen":["unix:)" + socket + "\"]}"; }};
  CHECK_THAT(ask(socket, get("/guests"), 0), Contains("200 OK"));
  CHECK(ask(socket, get("/guests"), nobody) == "refused");
}

TEST_CASE("a token gives the rights of its role over TCP, until it is revoked") {
  if (::geteuid() != 0)
    return;
  guarded agent;
  CHECK(agent.h.http.get("/guests").status == 401);
  const auto viewer = agent.token(R"("name":"v","role":"viewer")");
  CHECK(agent.with(viewer, "GET", "/guests").status == 200);
  const auto refused = agent.with(viewer, "POST", "/guests", R"({"type":"kvm"})");
  CHECK(refused.status == 403);
  CHECK_THAT(refused.body, Contains("this needs the scope guest"));
  CHECK(agent.with(viewer, "GET", "/tokens").status == 403);
  CHECK(agent.with(viewer + "x", "GET", "/guests").status == 401);
  const auto admin = agent.token(R"("name":"a","role":"admin")");
  const auto listed = agent.with(admin, "GET", "/tokens");
  CHECK(listed.status == 200);
  CHECK_THAT(listed.body, !Contains(viewer) && !Contains("hash"));
  CHECK(agent.with(admin, "POST", "/tokens", R"({"name":"v","role":"viewer"})").status == 409);
  const auto id = viewer.substr(4, 16);
  const auto rotated = agent.with(admin, "POST", "/tokens/" + id + "/rotate");
  REQUIRE(rotated.status == 200);
  const auto fresh = text_at(rotated.body, "token");
  CHECK(agent.with(viewer, "GET", "/guests").status == 200);
  CHECK(agent.with(fresh, "GET", "/guests").status == 200);
  CHECK(agent.with(admin, "DELETE", "/tokens/" + id).status == 204);
  CHECK(agent.with(viewer, "GET", "/guests").status == 401);
  CHECK(agent.with(fresh, "GET", "/guests").status == 401);
}

TEST_CASE("the page of the actors opens over plain HTTP without an identity, and what it shows does not") {
  if (::geteuid() != 0)
    return;
  const guarded agent;
  const auto page = agent.h.http.get("/debug/actors", {"Accept: text/html,application/xhtml+xml,*/*;q=0.8",
                                                       "User-Agent: Mozilla/5.0 (X11; Linux x86_64)"});
  CHECK(page.status == 200);
  CHECK(page.header("content-type") == "text/html; charset=utf-8");
  CHECK(agent.h.http.get("/debug/actors", {"Accept: application/json"}).status == 401);
  CHECK(agent.h.http.get("/debug/pprof", {"Accept: text/html"}).status == 401);
}

TEST_CASE("a token that has expired is not rotated, and an empty Authorization is no missing one") {
  if (::geteuid() != 0)
    return;
  const guarded agent{[](config_file& config) {
    config.top["access"] = R"({"unix":[{"user":"root","role":"admin"}],"anonymous":"viewer"})";
  }};
  CHECK(agent.h.http.send("GET", "/guests", "", {}).status == 200);
  CHECK(agent.h.http.send("GET", "/guests", "", {"Authorization: "}).status == 401);
  CHECK(agent.h.http.send("GET", "/healthz", "", {"Authorization: "}).status == 200);
  const auto admin = agent.token(R"("name":"a","role":"admin")");
  const auto soon =
    mistify::rpc::encode(mistify::rpc::timestamp{std::chrono::system_clock::now() + std::chrono::seconds{1}});
  const auto brief = agent.token(R"("name":"b","role":"viewer","expires":")" + soon + '"');
  const auto rotate = [&] { return agent.with(admin, "POST", "/tokens/" + brief.substr(4, 16) + "/rotate").status; };
  CHECK(eventually([&] { return rotate() == 409; }));
  CHECK(agent.with(admin, "POST", "/tokens/0123456789abcdef/rotate").status == 404);
}

TEST_CASE("tokens survive kill -9") {
  if (::geteuid() != 0)
    return;
  guarded agent;
  const auto viewer = agent.token(R"("name":"v","role":"viewer")");
  agent.h.agent.kill_and_start();
  CHECK(agent.with(viewer, "GET", "/guests").status == 200);
}

TEST_CASE("an identity that is limited to some guests does not learn of the others") {
  if (::geteuid() != 0)
    return;
  guarded agent;
  const auto admin = agent.token(R"("name":"a","role":"admin")");
  const auto create = [&] {
    const auto made = agent.with(admin, "POST", "/guests", R"({"type":"kvm"})");
    CHECK(made.status == 202);
    agent.with(admin, "GET", "/jobs/" + made.job() + "?wait=10s");
    return std::pair{text_at(made.body, "id"), made.job()};
  };
  const auto [mine, my_job] = create();
  const auto [other, other_job] = create();
  const auto one = agent.token(R"("name":"one","role":"controller","guests":[")" + mine + "\"]");
  const auto sees = [&](const std::string& path) { return agent.with(one, "GET", path); };
  CHECK(sees("/guests/" + mine).status == 200);
  CHECK(sees("/guests/" + other).status == 404);
  CHECK_THAT(sees("/guests").body, Contains(mine) && !Contains(other));
  CHECK_THAT(sees("/jobs").body, Contains(my_job) && !Contains(other_job));
  CHECK(sees("/jobs/" + my_job).status == 200);
  CHECK(sees("/jobs/" + other_job).status == 404);
  CHECK(agent.with(one, "POST", "/guests/" + other + "/reboot").status == 404);
  CHECK(agent.with(one, "POST", "/guests/" + mine + "/reboot").status == 202);
  CHECK(agent.with(one, "POST", "/guests", R"({"type":"kvm"})").status == 403);
  CHECK(agent.with(one, "PATCH", "/metadata", R"({"a":"b"})").status == 403);
  CHECK_THAT(sees("/whoami").body, Contains(mine));
}

TEST_CASE("rights change at SIGHUP, and a config that cannot be used changes nothing") {
  if (::geteuid() != 0)
    return;
  guarded agent;
  const auto rules = [&](const std::string& access) {
    config_file config{agent.h.sub.port()};
    config.top["http"] = R"({"listen":["unix:)" + agent.socket + "\"]}";
    config.top["access"] = access;
    agent.h.agent.rewrite_config(config.text());
    agent.h.agent.running().signal(SIGHUP);
  };
  CHECK(agent.h.http.get("/guests").status == 401);
  rules(R"({"anonymous":"viewer"})");
  CHECK(eventually([&] { return agent.h.http.get("/guests").status == 200; }));
  rules(R"({"anonymous":"king"})");
  CHECK(eventually([&] { return agent.h.agent.log().find("cannot be read again") != std::string::npos; }));
  CHECK(agent.h.http.get("/guests").status == 200);
  rules(R"({"unix":[]})");
  CHECK(eventually([&] { return agent.h.http.get("/guests").status == 401; }));
}

TEST_CASE("access that SIGHUP adds opens the unix socket to those whom it names, and cannot be taken away so") {
  if (::geteuid() != 0)
    return;
  temp_dir dir;
  ::chmod(dir.path().c_str(), 0755);
  const auto socket = (dir.path() / "agent.sock").string();
  const auto listen = R"({"listen":["unix:)" + socket + "\"]}";
  house h{[&](config_file& config) { config.top["http"] = listen; }};
  CHECK(ask(socket, get("/guests"), nobody) == "refused");
  const auto rules = [&](const std::string& access) {
    config_file config{h.sub.port()};
    config.top["http"] = listen;
    if (!access.empty())
      config.top["access"] = access;
    h.agent.rewrite_config(config.text());
    h.agent.running().signal(SIGHUP);
  };
  rules(R"({"unix":[{"user":"nobody","role":"viewer"}]})");
  CHECK(eventually([&] { return ask(socket, get("/guests"), nobody).find("200 OK") != std::string::npos; }));
  CHECK_THAT(ask(socket, get("/tokens"), nobody), Contains("403"));
  CHECK(h.http.get("/guests").status == 401);
  rules("");
  CHECK(eventually([&] { return h.agent.log().find("access cannot be taken away") != std::string::npos; }));
  CHECK_THAT(ask(socket, get("/tokens"), nobody), Contains("403"));
}

TEST_CASE("refusals are audited with who was refused what") {
  if (::geteuid() != 0)
    return;
  guarded agent;
  const auto viewer = agent.token(R"("name":"watcher","role":"viewer")");
  agent.with(viewer, "PATCH", "/metadata", R"({"a":"b"})");
  CHECK(eventually([&] { return agent.h.agent.log().find("watcher") != std::string::npos; }));
  CHECK_THAT(agent.h.agent.log(), Contains("refusal") && Contains("metadata"));
}

TEST_CASE("a socket that a killed agent left is replaced, and nothing else is") {
  if (::geteuid() != 0)
    return;
  guarded agent;
  agent.h.agent.kill_and_start();
  CHECK_THAT(agent.root(get("/whoami")), Contains("200 OK"));
  agent.h.agent.stop();
  CHECK_FALSE(std::filesystem::exists(agent.socket));
  const temp_dir dir;
  const auto file = dir.write("file", "x");
  const auto run = run_agent({"-c", dir.write("agent.json", R"({"dbpath":")" + (dir.path() / "a.db").string() +
                                                              R"(","http":{"listen":["unix:)" + file + "\"]}}")});
  CHECK(run.code == 1);
  CHECK_THAT(run.err, Contains("there is a file that is no socket"));
}

namespace {

/// What each route asks; those that are not named here ask for `read`.
const std::map<std::string, std::string> scope_of_route{
  {"PATCH /metadata", "metadata"},
  {"PATCH /guests/{guest}/metadata", "metadata"},
  {"POST /images", "image"},
  {"DELETE /images/{image}", "image"},
  {"POST /container_images", "image"},
  {"DELETE /container_images/{image}", "image"},
  {"POST /guests", "guest"},
  {"GET /guests/unmanaged", "admin"},
  {"POST /guests/adopt", "admin"},
  {"DELETE /guests/{guest}", "guest"},
  {"PATCH /guests/{guest}", "guest"},
  {"POST /guests/{guest}/disks", "guest"},
  {"DELETE /guests/{guest}/disks/{disk}", "guest"},
  {"POST /guests/{guest}/disks/{disk}/resize", "guest"},
  {"POST /guests/{guest}/nics", "guest"},
  {"DELETE /guests/{guest}/nics/{nic}", "guest"},
  {"GET /guests/{guest}/log", "console"},
  {"PUT /guests/{guest}/state", "report"},
  {"PUT /jobs/{job}/progress", "report"},
  {"GET /guests/{guest}/{action}", "power"},
  {"POST /guests/{guest}/{action}", "power"},
  {"DELETE /jobs/{job}", "power"},
  {"POST /guests/{guest}/snapshots", "snapshot"},
  {"DELETE /guests/{guest}/snapshots/{snapshot}", "snapshot"},
  {"POST /guests/{guest}/snapshots/{snapshot}/rollback", "snapshot"},
  {"GET /guests/{guest}/snapshots/{snapshot}/download", "data"},
  {"POST /guests/{guest}/disks/{disk}/snapshots", "snapshot"},
  {"DELETE /guests/{guest}/disks/{disk}/snapshots/{snapshot}", "snapshot"},
  {"POST /guests/{guest}/disks/{disk}/snapshots/{snapshot}/rollback", "snapshot"},
  {"GET /guests/{guest}/disks/{disk}/snapshots/{snapshot}/download", "data"},
  {"GET /metrics", "metrics"},
  {"GET /metrics/guests", "metrics"},
  {"PUT /host/maintenance", "admin"},
  {"GET /tokens", "admin"},
  {"POST /tokens", "admin"},
  {"DELETE /tokens/{token}", "admin"},
  {"POST /tokens/{token}/rotate", "admin"},
  {"GET /audit", "admin"},
  {"POST /host/leave", "admin"},
  {"GET /config", "admin"},
};
const std::vector<std::string> open_routes{"GET /healthz", "GET /readyz", "GET /openapi.json", "GET /docs",
                                           "GET /pages/{file}"};

std::string scope_of(const std::string& route) {
  if (std::ranges::find(open_routes, route) != open_routes.end())
    return "";
  if (route == "GET /whoami")
    return "identity";
  if (route.find("/debug/") != route.npos)
    return "debug";
  const auto found = scope_of_route.find(route);
  return found == scope_of_route.end() ? "read" : found->second;
}

const std::map<std::string, std::string> roles{
  {"viewer", "read metrics"},
  {"operator", "read metrics metadata power snapshot console"},
  {"controller", "read metrics metadata power snapshot console guest data image"},
  {"metrics", "metrics"},
  {"admin", "read metrics metadata power snapshot console guest data image report debug admin"},
};

bool has_word(const std::string& text, const std::string& word) {
  return (' ' + text + ' ').find(' ' + word + ' ') != text.npos;
}

/// "POST /guests/{guest}/{action}" of the agent's own description.
std::vector<std::string> described_routes(const std::string& description) {
  std::vector<std::string> routes;
  const auto document = mistify::rpc::json::document::parse(description);
  for (const auto& [path, methods] : document.root().find("paths")->members("paths"))
    for (const auto& [name, operation] : methods.members("methods")) {
      std::string method{name};
      std::ranges::transform(method, method.begin(), [](unsigned char c) { return std::toupper(c); });
      routes.push_back(method.append(" ").append(path));
    }
  return routes;
}

/// A path that leads to nothing.
std::string path_of(const std::string& route) {
  auto path = std::regex_replace(route.substr(route.find(' ') + 1), std::regex{R"(\{action\})"}, "reboot");
  return std::regex_replace(path, std::regex{R"(\{\w+\})"}, "nothing");
}

} // namespace

TEST_CASE("every route lets in exactly the roles that have its scope") {
  if (::geteuid() != 0)
    return;
  guarded agent;
  std::map<std::string, std::string> tokens;
  for (const auto& [role, scopes] : roles)
    tokens[role] = agent.token(R"("name":")" + role + R"(","role":")" + role + '"');
  const auto description = agent.with(tokens.at("admin"), "GET", "/openapi.json");
  const auto routes = described_routes(description.body);
  REQUIRE(routes.size() > 50);
  for (const auto& route : routes) {
    // A profile takes its time, events have no end, and what they ask is that of their neighbours.
    if (route == "GET /debug/pprof/profile" || route == "GET /events")
      continue;
    const auto scope = scope_of(route);
    const auto method = route.substr(0, route.find(' '));
    const auto path = path_of(route);
    for (const auto& [role, scopes] : roles) {
      INFO(route << " as " << role);
      const auto answer = agent.with(tokens.at(role), method, path);
      const bool allowed = scope.empty() || scope == "identity" || has_word(scopes, scope);
      CHECK((answer.status == 403) != allowed);
      if (!allowed)
        CHECK_THAT(answer.body, Contains("this needs the scope " + scope));
    }
    INFO(route << " without identity");
    CHECK((agent.h.http.send(method, path).status == 401) == !scope.empty());
  }
}
