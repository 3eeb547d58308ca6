#include "house.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <csignal>

using namespace mistify::test;

namespace {

/// Runs the agent on a config that it must refuse: its one line.
std::string refusal_of(const std::string& path) {
  const auto run = run_agent({"-a", "127.0.0.1:0", "-c", path});
  INFO(run.err);
  CHECK(run.code == 1);
  CHECK(std::count(run.err.begin(), run.err.end(), '\n') == 1);
  return run.err;
}

std::string refusal(const std::string& config) {
  const temp_dir dir;
  return refusal_of(dir.write("agent.json", config));
}

bool holds(const std::string& text, const std::string& part) {
  INFO(text);
  CHECK(text.find(part) != std::string::npos);
  return text.find(part) != std::string::npos;
}

const std::string service_s = R"("services":{"s":{"port":1234}})";

std::string with_stage(const std::string& stage) {
  return "{" + service_s + R"(,"actions":{"reboot":{"stages":[)" + stage + "]}}}";
}

} // namespace

TEST_CASE("mistakes in a config stop the start with one line that names them") {
  CHECK(holds(refusal(R"({"services":{"libvirt":{}}})"), "service libvirt has no port"));
  CHECK(holds(refusal(R"({"services":{"libvirt":{"port":0}}})"), "service libvirt has no port"));
  CHECK(holds(refusal(R"({"actions":{"explode":{"stages":[]}}})"), "action explode is not a valid action"));
  CHECK(holds(refusal(with_stage(R"({"service":"s"})")), "reboot: method cannot be empty"));
  CHECK(holds(refusal(with_stage(R"({"method":"A.B"})")), "reboot: service cannot be empty"));
  CHECK(holds(refusal(with_stage(R"({"service":"t","method":"A.B"})")), "reboot unable to find service t"));
}

TEST_CASE("a start tells each mistake with its file and line, as --check-config does") {
  const temp_dir dir;
  const auto told = [&](const std::string& text, const std::vector<std::string>& lines) {
    const auto file = dir.write("agent.json", text);
    for (const std::vector<std::string>& options : {std::vector<std::string>{}, {"--check-config"}}) {
      std::vector<std::string> words{"-c", file};
      words.insert(words.end(), options.begin(), options.end());
      const auto run = run_agent(words);
      INFO(run.err);
      CHECK(run.code == 1);
      CHECK(std::count(run.err.begin(), run.err.end(), '\n') == static_cast<std::ptrdiff_t>(lines.size()));
      for (const auto& line : lines)
        CHECK(holds(run.err, "mistify-agent: " + file + line));
    }
  };
  told("{\"limits\":{\"queue\":0},\n\"services\":{\"s\":{\"socket\":\"/s\",\n\"user\":\"no-such-user\"}}}",
       {":1: limits.queue", ":3: services.s.user"});
  told("{\"access\":{\"unix\":[{\"user\":\"root\",\"role\":\"admin\"},\n{\"user\":\"no-such-user\",\"role\":\"viewer\"}"
       "]}}",
       {":2: access.unix[1].user"});
  told("{\"dbpath\":\"/nonexistent/a.db\",\n\"tls\":{\"cert\":\"/nowhere.crt\",\n\"key\":\"/nowhere.key\"}}",
       {":2: tls.cert"});
}

TEST_CASE("JSON that is wrong is refused with the file and the place") {
  for (const auto* text : {"", "{", "{\"services\":{}}}", "{\"services\" {}}"}) {
    INFO(text);
    const auto line = refusal(text);
    CHECK(holds(line, "agent.json"));
    CHECK(line.find_first_of("0123456789") != std::string::npos);
  }
  CHECK(holds(refusal(R"({"services":{"s":{"port":"x"}}})"), "port"));
  CHECK(holds(refusal(R"({"services":{"s":{"port":65536}}})"), "port"));
  CHECK(holds(refusal(R"({"services":{"s":{"port":-1}}})"), "port"));
  CHECK(holds(refusal(R"({"actions":[]})"), "actions"));
  CHECK(holds(refusal(R"({"dbpath":7})"), "dbpath"));
}

TEST_CASE("a file that cannot be read is refused with the reason") {
  const temp_dir dir;
  const auto missing = (dir.path() / "missing.json").string();
  const auto line = refusal_of(missing);
  CHECK(holds(line, "missing.json"));
  CHECK(holds(line, "No such file"));
}

TEST_CASE("a directory's files are one config, in the order of their names") {
  const temp_dir dir;
  dir.write("conf/10-services.json", "{" + service_s + "}");
  dir.write("conf/20-actions.json", R"({"actions":{"reboot":{"stages":[{"service":"t","method":"A.B"}]}}})");
  dir.write("conf/ignored.txt", "no JSON");
  CHECK(holds(refusal_of((dir.path() / "conf").string()), "reboot unable to find service t"));
}

TEST_CASE("two files that define the same are refused") {
  const temp_dir services, actions;
  for (const auto* name : {"a.json", "b.json"}) {
    services.write(name, "{" + service_s + "}");
    actions.write(name, R"({"actions":{"reboot":{"stages":[]}}})");
  }
  CHECK(holds(refusal_of(services.path().string()), "service s has already been defined"));
  CHECK(holds(refusal_of(actions.path().string()), "action reboot has already been defined"));
}

TEST_CASE("unknown keys are warned about and harm nothing") {
  house h{[](config_file& c) { c.top["futuristic"] = R"({"a":1})"; }};
  CHECK(h.http.get("/guests").status == 200);
  CHECK(h.agent.log().find("futuristic") != std::string::npos);
  CHECK(h.agent.log().find(R"("level":"warning")") != std::string::npos);
}

TEST_CASE("every action that the contract names can be configured") {
  house h; // its config names them all
  CHECK(h.http.get("/guests").status == 200);
  CHECK(h.agent.log().find(R"("level":"warning")") == std::string::npos);
}

TEST_CASE("a config file is needed, and help is to be had") {
  const auto without = run_agent({"-a", "127.0.0.1:0"});
  CHECK(without.code != 0);
  CHECK_FALSE(without.err.empty());
  CHECK(run_agent({"-h"}).code == 0);
  CHECK(run_agent({"--help"}).code == 0);
  CHECK(run_agent({"--version"}).code == 0);
  CHECK(run_agent({"--no-such-option"}).code != 0);
}

TEST_CASE("a log level is one of those that are known") {
  const temp_dir dir;
  const auto config = dir.write("agent.json", R"({"dbpath":)" + json_string((dir.path() / "a.db").string()) + "}");
  CHECK(run_agent({"-a", "127.0.0.1:0", "-c", config, "-l", "loud"}).code != 0);
  for (const auto* level : {"debug", "info", "warning", "error", "critical", "fatal"}) {
    const auto port = free_port();
    process agent{{"-a", "127.0.0.1:" + std::to_string(port), "-c", config, "-l", level},
                  (dir.path() / "err").string()};
    INFO(level);
    CHECK(eventually([&] {
      try {
        return http_client{port}.get("/guests").status == 200;
      } catch (const std::exception&) {
        return false;
      }
    }));
    agent.signal(SIGTERM);
    CHECK(agent.wait() == 0);
  }
}

TEST_CASE("an address that is taken is refused with one line") {
  std::uint16_t port = 0;
  const auto taken = listen_on_loopback(port);
  const temp_dir dir;
  const auto config = dir.write("agent.json", R"({"dbpath":)" + json_string((dir.path() / "a.db").string()) + "}");
  const auto run = run_agent({"-a", "127.0.0.1:" + std::to_string(port), "-c", config});
  CHECK(run.code == 1);
  CHECK(holds(run.err, std::to_string(port)));
}
