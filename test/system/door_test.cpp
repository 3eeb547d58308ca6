#include "house.hpp"
#include "sockets.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <csignal>
#include <filesystem>

using namespace mistify::test;
using Catch::Contains;

namespace {

const header_list foreign{"Origin: http://evil.example", "Sec-Fetch-Site: cross-site"};

} // namespace

TEST_CASE("a web page of another site changes, reports and debugs nothing") {
  house h;
  const auto id = h.create_guest();
  const auto refused = [&](std::string_view method, const std::string& path, std::string_view body = "{}") {
    INFO(method << ' ' << path);
    const auto answer = h.http.send(method, path, body, foreign);
    CHECK(answer.status == 403);
    CHECK(error_message(answer) == "cross-site request");
  };
  refused("POST", "/guests");
  refused("POST", "/guests/" + id + "/poweroff");
  refused("GET", "/guests/" + id + "/delete", "");
  refused("DELETE", "/guests/" + id, "");
  refused("PATCH", "/metadata");
  refused("POST", "/images", R"({"source":"http://127.0.0.1:1/x"})");
  refused("PUT", "/guests/" + id + "/state", R"({"state":"crashed"})");
  refused("PUT", "/debug/log-level", R"({"level":"fatal"})");
  refused("GET", "/debug/pprof/cmdline", "");
  CHECK(h.sub.calls("Test.Poweroff").empty());
  CHECK(h.sub.calls("Test.Delete").empty());
  CHECK(h.http.send("POST", "/guests", "{}", {"Origin: http://127.0.0.1", "Sec-Fetch-Site: same-origin"}).status ==
        202);
}

TEST_CASE("other sites may link to the page of the actors, and get nothing else of it") {
  const house h;
  const auto ask = [&](const header_list& headers) { return h.http.get("/debug/actors", headers); };
  const header_list opened{"Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document",
                           "Accept: text/html"};
  CHECK(ask(opened).status == 200);
  CHECK(ask(opened).header("content-type") == "text/html; charset=utf-8");
  CHECK(ask({"Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors", "Accept: text/html"}).status == 403);
  CHECK(ask({"Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Accept: application/json"}).status == 403);
}

TEST_CASE("a browser acts by POST only, also on a page of the agent itself") {
  house h;
  const auto id = h.create_guest();
  for (const auto* mark : {"Sec-Fetch-Site: same-origin", "Sec-Fetch-Mode: cors", "Origin: http://127.0.0.1",
                           "User-Agent: Mozilla/5.0 (X11; Linux x86_64)"}) {
    INFO(mark);
    CHECK(h.http.get("/guests/" + id + "/reboot", {mark}).status == 403);
  }
  CHECK(h.sub.calls("Test.Reboot").empty());
  CHECK(h.http.get("/guests/" + id + "/reboot").status == 202);
}

TEST_CASE("the config names further names of the agent") {
  house h{[](config_file& c) { c.top["http"] = R"({"names":["agent.example"]})"; }};
  const auto ask = [&](const std::string& host) {
    return h.http.send_raw("GET /metadata HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n").status;
  };
  CHECK(ask("agent.example:1") == 200);
  CHECK(ask("localhost") == 200);
  CHECK(ask("evil.example") == 421);
  CHECK(ask("a b") == 400);
}

TEST_CASE("pages may be shown and loaded by the agent's own pages only, and hold no inline script or style") {
  const house h;
  for (const auto* path : {"/docs", "/debug/actors", "/debug/pprof", "/pages/docs.css", "/pages/docs.js",
                           "/pages/actors.css", "/pages/actors.js"}) {
    INFO(path);
    const auto page = h.http.get(path, {"Accept: text/html,*/*;q=0.1"});
    CHECK(page.status == 200);
    const auto policy = page.header("content-security-policy");
    CHECK_THAT(policy, Contains("frame-ancestors 'none'") && !Contains("unsafe"));
    CHECK(page.header("cross-origin-resource-policy") == "same-origin");
    CHECK(page.header("x-content-type-options") == "nosniff");
    CHECK_THAT(page.body, !Contains("<style") && !Contains("<script>") && !Contains(" style=\""));
  }
  CHECK(h.http.get("/pages/nothing.js").status == 404);
}

TEST_CASE("whoever listens beyond this machine says so") {
  const temp_dir dir;
  const auto config = dir.write("agent.json", R"({"dbpath":)" + json_string((dir.path() / "a.db").string()) + "}");
  for (const auto* address : {":0", "0.0.0.0:0", "[::]:0"}) {
    INFO(address);
    const auto run = run_agent({"-a", address, "-c", config});
    CHECK(run.code == 1);
    CHECK_THAT(run.err, Contains("access") && Contains("--insecure"));
    CHECK(std::count(run.err.begin(), run.err.end(), '\n') == 1);
    CHECK_FALSE(std::filesystem::exists(dir.path() / "a.db"));
  }
  const auto port = free_port();
  process agent{{"-a", ":" + std::to_string(port), "-c", config, "--insecure"}, (dir.path() / "err").string()};
  CHECK(eventually([&] {
    try {
      return http_client{port}.get("/metadata").status == 200;
    } catch (const std::exception&) {
      return false;
    }
  }));
  CHECK_THAT(read_text(dir.path() / "err"), Contains("--insecure"));
  agent.signal(SIGTERM);
  CHECK(agent.wait() == 0);
}
