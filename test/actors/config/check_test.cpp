#include "actors/config/check.hpp"
#include "actors/config/json_lines.hpp"
#include "actors/config/merge.hpp"

#include <algorithm>
#include <catch2/catch.hpp>

namespace mistify::actors {

namespace {

std::vector<std::string> mistakes_of(const config_texts& files) {
  std::vector<std::string> texts;
  for (const auto& one : check_config(files).mistakes)
    texts.push_back(one.text());
  return texts;
}

} // namespace

TEST_CASE("Members of a JSON text have the lines at which they stand") {
  const json_lines lines{"{\n \"a\": {\"b\\\"\": [1,\n  {\"c\":\n 2}]},\n \"d\" : \"}{,\"}"};
  CHECK(lines.of("a") == 2);
  CHECK(lines.of("a/b\\\"") == 2);
  CHECK(lines.of("a/b\\\"/0") == 2);
  CHECK(lines.of("a/b\\\"/1") == 3);
  CHECK(lines.of("a/b\\\"/1/c") == 3);
  CHECK(lines.of("d") == 5);
  CHECK(lines.of("a/absent/x") == 2);
  CHECK(lines.of("absent") == 1);
  CHECK(line_at("a\nb\n", 2) == 2);
}

TEST_CASE("Every mistake of a config is told, with its file and line") {
  const config_texts files{{"a.json", R"({
  "services": {
    "s": {"port": "x",
          "max_pending": -1},
    "t": {"port": 1}
  },
  "actions": {
    "reboot": {"stages": [{"service": "t", "method": "T.R"},
                          {"service": "t"},
                          {"method": "T.R"}]},
    "start": {"stages": [{"service": "s", "method": "S.S"}]},
    "nonsense": {"stages": []},
    "restart": {"stages": [{"service": "absent", "method": "A.A"}]}
  },
  "limits": {"queue": 0, "jobs": "many"},
  "access": {"unix": [{"user": "root", "role": "admin"}, {"user": "root", "role": "king"}],
             "anonymous": "nobody"}
})"},
                           {"b.json", R"({"services": {"t": {"port": 2}},
"limits": {"retries": []}})"},
                           {"c.json", "{\n\"limits\": {,}}"}};
  const auto all = mistakes_of(files);
  const auto tells = [&](const std::string& begin, const std::string& word) {
    return std::ranges::count_if(
             all, [&](const std::string& one) { return one.starts_with(begin) && one.find(word) != one.npos; }) == 1;
  };
  INFO([&] {
    std::string text;
    for (const auto& one : all)
      text += one + "\n";
    return text;
  }());
  CHECK(tells("a.json:3: ", "port"));
  CHECK(tells("a.json:4: ", "max_pending"));
  CHECK(tells("a.json:9: ", "method cannot be empty"));
  CHECK(tells("a.json:10: ", "service cannot be empty"));
  CHECK(tells("a.json:12: ", "nonsense is not a valid action"));
  CHECK(tells("a.json:13: ", "unable to find service absent"));
  CHECK(tells("a.json:15: ", "limits.queue"));
  CHECK(tells("a.json:15: ", "limits.jobs"));
  CHECK(tells("a.json:16: ", "king"));
  CHECK(tells("a.json:17: ", "nobody"));
  CHECK(tells("b.json:1: ", "service t has already been defined"));
  CHECK(tells("b.json:2: ", "limits.retries"));
  CHECK(tells("c.json:2: ", "invalid JSON"));
  CHECK(all.size() == 13); // "start" needs a service that is there, if wrong
}

TEST_CASE("An entry of access that is wrong has its own number") {
  const auto all = mistakes_of({{"a.json", R"({"access": {
  "unix": [{"user": "root", "role": "admin"}, {"user": "0", "role": "viewer"},
           {"user": "no-such-user", "role": "viewer"}],
  "certs": [{"san": "x", "role": "viewer"}, {"san": "y", "role": "viewer", "guests": 7}]}})"}});
  REQUIRE(all.size() == 2);
  CHECK_THAT(all[0], Catch::StartsWith("a.json:3: access.unix[2].user"));
  CHECK_THAT(all[1], Catch::StartsWith("a.json:4: access.certs[1].guests"));
}

TEST_CASE("A mistake that a message tells has the line of the member that the message begins with") {
  const config_texts files{{"a.json", "{}"}, {"b.json", "{\"tls\": {\"cert\": \"c\",\n\"key\": \"k\"}}"}};
  CHECK(place_mistake(files, "tls.key \"k\": No such file").text() == "b.json:2: tls.key \"k\": No such file");
  CHECK(place_mistake(files, "listening on all").text() == "listening on all");
}

TEST_CASE("Services and actions that are no objects have a line, and hide no other mistake") {
  for (const std::string wrong : {R"("services": 5)", R"("services": [])", R"("actions": [])", R"("actions": "x")"}) {
    INFO(wrong);
    const auto all = mistakes_of({{"a.json", "{\n" + wrong + ",\n\"limits\": {\"queue\": 0}}"}});
    REQUIRE(all.size() == 2);
    CHECK(all[0].starts_with("a.json:2: "));
    CHECK_THAT(all[1], Catch::StartsWith("a.json:3: ") && Catch::Contains("limits.queue"));
  }
}

TEST_CASE("A config without mistakes is merged as it is read, without secrets") {
  const config_texts files{
    {"a.json",
     R"({"limits":{"queue":5,"jobs":7},"http":{"listen":["unix:/a"]},"dbpath":"/x","mine":{"api_token":"t","password":"p"}})"},
    {"b.json",
     R"({"limits":{"queue":6},"http":{"listen":["unix:/b"],"names":["n"]},"etcd":["http://u:p@h:1/a@b","http://h/@"]})"}};
  const auto report = check_config(files);
  CHECK(report.mistakes.empty());
  CHECK(report.warnings.size() == 2); // unknown keys
  CHECK(
    report.merged ==
    R"({"dbpath":"/x","etcd":["http://h:1/a@b","http://h/@"],"http":{"listen":["unix:/a","unix:/b"],"names":["n"]},)"
    R"("limits":{"jobs":7,"queue":6},"mine":{}})");
}

TEST_CASE("A config with keys of the original in another case is judged by line and merged as any other") {
  const auto wrong = mistakes_of({{"a.json", R"({"ACTIONS": {"create": {"Stages": [{"Service": "s", "Method": "m"}]}},
    "Services": {"s": {"port": 1},
      "t": {"Max_Pending": 3,
        "Port": "x"}}})"}});
  REQUIRE(wrong.size() == 1);
  CHECK_THAT(wrong[0], Catch::StartsWith("a.json:4: ") && Catch::Contains("services.t.Port"));
  const auto right = check_config(config_texts{{"a.json", R"({"Services":{"s":{"port":1}}})"},
                                               {"b.json", R"({"services":{"t":{"port":2}},"DBPath":"/x"})"}});
  CHECK(right.warnings.empty());
  CHECK(right.merged == R"({"dbpath":"/x","services":{"s":{"port":1},"t":{"port":2}}})");
}

TEST_CASE("No part of a URL's password is shown, whatever is in it") {
  const auto report = check_config(config_texts{{"a.json", R"({"mine":["https://u:p@ss@h/a","http://u:w?#rd@h"]})"}});
  CHECK(report.merged == R"({"mine":["https://h/a","http://h"]})");
}

TEST_CASE("Two configs differ in the members that are told") {
  CHECK(config_differences(R"({"a":{"b":1,"c":2},"actions":{"x":{"stages":[1]}}})",
                           R"({"a":{"b":1,"c":3},"actions":{"x":{"stages":[2]},"y":{}},"d":4})") ==
        std::vector<std::string>{"a.c", "actions.x", "actions.y", "d"});
  CHECK(config_differences("{}", "{}").empty());
}

TEST_CASE("A file that cannot be read is a mistake") {
  const auto report = check_config(std::filesystem::path{"/nonexistent/agent.json"});
  REQUIRE(report.mistakes.size() == 1);
  CHECK_THAT(report.mistakes.front().text(), Catch::Contains("/nonexistent/agent.json: No such file"));
}

} // namespace mistify::actors
