#include "actors/config/check.hpp"
#include "actors/config/config.hpp"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

using namespace mistify;
using actors::parse_config;

namespace {

std::string refusal(const std::string& text) {
  try {
    parse_config({{"f.json", text}});
  } catch (const rpc::failure& e) {
    CHECK(e.code() == rpc::errc::config_invalid);
    return e.message();
  }
  return "accepted";
}

actors::config parse(const std::string& text) {
  return parse_config({{"f.json", text}});
}

} // namespace

TEST_CASE("config mistakes are refused in the words of the original") {
  CHECK(refusal(R"({"services":{"x":{}}})") == "service x has no port");
  CHECK(refusal(R"({"services":{"x":{"port":0}}})") == "service x has no port");
  CHECK(refusal(R"({"actions":{"fly":{}}})") == "action fly is not a valid action");
  CHECK(refusal(R"({"actions":{"create":{"stages":[{"service":"s"}]}}})") == "create: method cannot be empty");
  CHECK(refusal(R"({"actions":{"create":{"stages":[{"method":"m"}]}}})") == "create: service cannot be empty");
  CHECK(refusal(R"({"actions":{"create":{"stages":[{"method":"m","service":"y"}]}}})") ==
        "create unable to find service y");
}

TEST_CASE("what a shutdown or reboot is told of waiting has to make sense") {
  const auto with = [](const std::string& action, const std::string& args) {
    return R"({"services":{"s":{"port":1}},"actions":{")" + action +
           R"(":{"stages":[{"method":"m","service":"s","args":)" + args + "}]}}}";
  };
  CHECK(refusal(with("shutdown", R"({"wait":"x"})")) ==
        "actions.shutdown.stages.args.wait: must be a whole number of seconds, at most 86400");
  CHECK_THAT(refusal(with("containerReboot", R"({"wait":"86401"})")), Catch::Contains("args.wait"));
  CHECK_THAT(refusal(with("reboot", R"({"wait":"3","then":"zzz"})")),
             Catch::Contains("args.then: must be poweroff or fail"));
  CHECK_NOTHROW(parse_config({{"f", with("shutdown", R"({"wait":"3","then":"fail"})")}}));
  CHECK_NOTHROW(parse_config({{"f", with("start", R"({"wait":"what the sub-agent makes of it"})")}}));
}

TEST_CASE("an empty address to listen on is refused") {
  CHECK_THROWS_WITH(parse_config({{"a", R"({"http":{"listen":["127.0.0.1:1",""]}})"}}),
                    Catch::Contains("http.listen: an address must not be empty"));
}

TEST_CASE("what is defined in two files is refused") {
  const std::string service = R"({"services":{"x":{"port":1}}})";
  CHECK_THROWS_WITH(parse_config({{"a", service}, {"b", service}}), "service x has already been defined");
  const std::string action = R"({"actions":{"create":{"stages":[]}}})";
  CHECK_THROWS_WITH(parse_config({{"a", action}, {"b", action}}), "action create has already been defined");
}

TEST_CASE("wrong JSON and wrong types are refused with file and place") {
  CHECK(refusal("{").find("f.json: invalid JSON at byte") == 0);
  CHECK(refusal("").find("f.json: ") == 0);
  CHECK(refusal("[]").find("f.json: ") == 0);
  CHECK(refusal(R"({"services":{"x":{"port":"1"}}})").find("services.x.port") != std::string::npos);
  CHECK(refusal(R"({"services":{"x":{"port":70000}}})").find("services.x.port") != std::string::npos);
  CHECK(refusal(R"({"services":{"x":{"port":1,"path":"no slash"}}})").find("services.x.path") != std::string::npos);
  CHECK(refusal(R"({"limits":{"queue":0}})").find("limits.queue") != std::string::npos);
}

TEST_CASE("a refusal is one line whatever the config calls things") {
  CHECK(refusal(R"({"services":{"a\nb":{}}})") == "service a?b has no port");
  CHECK(refusal(R"({"services":{"a\u0000b":{"port":"x"}}})").find('\0') == std::string::npos);
}

TEST_CASE("the path of a service fits into a request line") {
  for (const auto* path : {"/a b", "/a\\tb", "/a\\u0000b", "/a\\r\\nb", "/a\\u007f"})
    CHECK(refusal(std::string{R"({"services":{"x":{"port":1,"path":")"} + path + "\"}}}") ==
          "services.x.path: must begin with / and hold no spaces");
}

TEST_CASE("a service has the defaults of the original") {
  const auto config = parse(R"({"services":{"x":{"port":1},"y":{"port":2,"path":"/p","max_pending":9}}})");
  CHECK(config.services.at("x").path == "/_mistify_RPC_");
  CHECK(config.services.at("x").max_pending == 4);
  CHECK(config.services.at("y").path == "/p");
  CHECK(config.services.at("y").max_pending == 9);
}

TEST_CASE("a stage's time-out is its own, else its service's, else by the kind of the action") {
  using namespace std::chrono_literals;
  const auto config = parse(R"({"services":{"s":{"port":1},"slow":{"port":2,"timeout":2.5}},"actions":{
    "create":{"stages":[{"service":"s","method":"m"},{"service":"slow","method":"m"},
                        {"service":"slow","method":"m","timeout":0}]},
    "fetchImage":{"stages":[{"service":"s","method":"m"}]},
    "cpuMetrics":{"stages":[{"service":"s","method":"m"}]}}})");
  const auto& stages = config.find_action("create")->stages;
  CHECK(stages[0].timeout == 600s);
  CHECK(stages[1].timeout == 2500ms);
  CHECK(stages[2].timeout == 0ms);
  CHECK(config.find_action("fetchImage")->stages[0].timeout == 0ms);
  CHECK(config.find_action("cpuMetrics")->stages[0].timeout == 10s);
}

TEST_CASE("the keys of the original are taken in any case, as it took them") {
  const auto config = parse(R"({"Services":{"s":{"Port":7,"PATH":"/p","Max_Pending":9}},"DBPath":"/x.db","ACTIONS":{
    "create":{"Stages":[{"Service":"s","METHOD":"L.Create","Args":{"Key":"v"}}]}}})");
  CHECK(config.warnings.empty());
  CHECK(config.dbpath == "/x.db");
  const auto& service = config.services.at("s");
  CHECK(service.port == 7);
  CHECK(service.path == "/p");
  CHECK(service.max_pending == 9);
  const auto& stage = config.find_action("create")->stages.at(0);
  CHECK(stage.service == "s");
  CHECK(stage.method == "L.Create");
  CHECK(stage.args.at("Key") == "v");
  CHECK(refusal(R"({"Services":{"s":{"Port":"x"}}})").find("services.s.Port") != std::string::npos);
  CHECK(parse(R"({"Limits":{"queue":1}})").warnings == std::vector<std::string>{"f.json: unknown key Limits"});
}

TEST_CASE("unknown keys are warned about and nothing more") {
  const auto config = parse(R"({"colour":1,"services":{"s":{"port":1,"x":2}},"http":{"y":3},"limits":{"z":1}})");
  REQUIRE(config.warnings.size() == 4);
  CHECK(config.warnings[0] == "f.json: unknown key colour");
  CHECK(config.warnings[1] == "f.json: unknown key services.s.x");
}

TEST_CASE("the log's level is one that there is, or not said") {
  CHECK(parse("{}").log.level.empty());
  CHECK(parse("{}").log.audit);
  CHECK(parse(R"({"log":{"level":"debug","audit":false}})").log.level == "debug");
  CHECK_FALSE(parse(R"({"log":{"level":"debug","audit":false}})").log.audit);
  CHECK(refusal(R"({"log":{"level":"loud"}})") == "log.level: must be debug, info, warning, error, critical or fatal");
  CHECK(refusal(R"({"log":{"audit":"yes"}})").find("log.audit") != std::string::npos);
}

TEST_CASE("more calls at a time than a sub-agent serves are warned about") {
  CHECK(parse(R"({"services":{"x":{"port":1,"max_pending":64}}})").warnings.empty());
  CHECK(parse(R"({"services":{"x":{"port":1,"max_pending":65}}})").warnings.size() == 1);
  CHECK(parse(R"({"services":{"x":{"port":1,"path":"/log","max_pending":32}}})").warnings.empty());
  CHECK(parse(R"({"services":{"x":{"port":1,"path":"/log","max_pending":33}}})").warnings.size() == 1);
}

TEST_CASE("hidden files of a config folder are not read") {
  namespace fs = std::filesystem;
  std::string folder = (fs::temp_directory_path() / "config-XXXXXX").string();
  REQUIRE(::mkdtemp(folder.data()));
  std::ofstream{folder + "/agent.json"} << R"({"services":{"x":{"port":1}}})";
  std::ofstream{folder + "/._agent.json"} << "junk";
  fs::create_symlink("nowhere", folder + "/.#agent.json");
  CHECK(actors::load_config(folder).services.size() == 1);
  fs::create_symlink("nowhere", folder + "/other.json");
  CHECK_THROWS_AS(actors::load_config(folder), rpc::failure);
  fs::remove_all(folder);
}

TEST_CASE("what is no regular file in a config folder is refused by its name, and nobody waits for it") {
  namespace fs = std::filesystem;
  std::string folder = (fs::temp_directory_path() / "config-XXXXXX").string();
  REQUIRE(::mkdtemp(folder.data()));
  std::ofstream{folder + "/agent.json"} << R"({"services":{"x":{"port":1}}})";
  const auto other = folder + "/other.json";
  const auto is_refused = [&] {
    CHECK_THROWS_WITH(actors::load_config(folder), Catch::Contains(other + ": is no regular file"));
    const auto report = actors::check_config(fs::path{folder});
    REQUIRE(report.mistakes.size() == 1);
    CHECK(report.mistakes[0].text().find(other + ": is no regular file") != std::string::npos);
    fs::remove(other);
  };
  REQUIRE(::mkfifo(other.c_str(), 0600) == 0);
  is_refused();
  fs::create_symlink("/dev/zero", other);
  is_refused();
  fs::create_directory(other);
  CHECK_THROWS_WITH(actors::load_config(folder), Catch::Contains(other + ": is a directory"));
  fs::remove_all(folder);
}

TEST_CASE("a config file that is named may be a pipe") {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const std::string text = R"({"services":{"x":{"port":1}}})";
  CHECK(::write(ends[1], text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  ::close(ends[1]);
  CHECK(actors::load_config("/dev/fd/" + std::to_string(ends[0])).services.size() == 1);
  ::close(ends[0]);
}

TEST_CASE("a stream has one stage only") {
  CHECK(refusal(R"({"services":{"s":{"port":1}},"actions":{"downloadSnapshot":{"stages":[
    {"service":"s","method":"a"},{"service":"s","method":"b"}]}}})") ==
        "downloadSnapshot: a stream has one stage only");
}
