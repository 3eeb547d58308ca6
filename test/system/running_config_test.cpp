#include "house.hpp"
#include "log_lines.hpp"
#include "tool.hpp"

#include <catch2/catch.hpp>
#include <csignal>

namespace mistify::test {

using Catch::Contains;

TEST_CASE("--check-config prints the merged config of a folder, or every mistake, and starts nothing") {
  const temp_dir dir;
  dir.write("10.json", R"({"services":{"t":{"port":1}},"limits":{"queue":5}})");
  dir.write("20.json", R"({"limits":{"queue":6},"dbpath":"/nonexistent/agent.db"})");
  const auto check = [&](const std::string& more = "") {
    return run_tool(AGENT_BINARY " --check-config -c " + dir.path().string() + more);
  };
  const auto good = check();
  CHECK(good.code == 0);
  CHECK(good.output == R"({"dbpath":"/nonexistent/agent.db","limits":{"queue":6},"services":{"t":{"port":1}}})"
                       "\n");
  dir.write("30.json", "{\n\"limits\":{\"queue\":\"x\",\n\"jobs\":-1}}");
  const auto bad = check();
  CHECK(bad.code == 1);
  CHECK_THAT(bad.output, Contains("30.json:2: limits.queue") && Contains("30.json:3: limits.jobs"));
  dir.write("30.json", R"({"http":{"listen":["0.0.0.0:80"]}})");
  const auto open = check();
  CHECK(open.code == 1);
  CHECK_THAT(open.output, Contains("access"));
}

TEST_CASE("GET /config shows what the files say, and SIGHUP tells what needs a restart") {
  config_file with{1};
  with.top["limits"] = R"({"queue":5})";
  with.top["http"] = R"({"max_downloads":5})";
  with.top["mine"] = R"({"password":"hidden"})";
  daemon agent{with.text()};
  const http_client http{agent.port()};
  const auto before = http.get("/config");
  CHECK(before.status == 200);
  CHECK(at(before.body, "config/limits/queue") == "5");
  CHECK(at(before.body, "config/mine") == "{}");
  CHECK(count(before.body, "files") == 1);
  CHECK(count(before.body, "restart_needed") == 0);

  with.top["limits"] = R"({"queue":6})";
  with.top["http"] = R"({"max_downloads":6})";
  with.top["log"] = R"({"level":"debug"})";
  agent.rewrite_config(with.text());
  agent.running().signal(SIGHUP);
  CHECK(eventually([&] { return at(http.get("/config").body, "restart_needed") == R"(["http.max_downloads"])"; }));
  const log_fields waiting{{"msg", "the config has changes that only a restart applies"},
                           {"members", "http.max_downloads"}};
  CHECK(eventually([&] { return log_lines(agent, waiting).size() == 1; }));

  with.top["limits"] = R"({"queue":"x"})";
  agent.rewrite_config(with.text());
  agent.running().signal(SIGHUP);
  CHECK(eventually([&] { return agent.log().find("limits.queue: must be") != std::string::npos; }));
  CHECK(at(http.get("/config").body, "config/limits/queue") == "6");
}

} // namespace mistify::test
